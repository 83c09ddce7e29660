"""What is used of kafka-python, which ships without types.

Those that type checkers bring along are of a version long gone, and say what is no longer so.
"""

from importlib import import_module
from typing import Any

_kafka: Any = import_module("kafka")
_admin: Any = import_module("kafka.admin")
_errors: Any = import_module("kafka.errors")

KafkaAdminClient: Any = _kafka.KafkaAdminClient
KafkaConsumer: Any = _kafka.KafkaConsumer
KafkaProducer: Any = _kafka.KafkaProducer
KafkaNetClient: Any = import_module("kafka.net.compat").KafkaNetClient

ACL: Any = _admin.ACL
ACLFilter: Any = _admin.ACLFilter
ACLOperation: Any = _admin.ACLOperation
ACLPermissionType: Any = _admin.ACLPermissionType
ACLResourcePatternType: Any = _admin.ACLResourcePatternType
ConfigResource: Any = _admin.ConfigResource
ResourcePattern: Any = _admin.ResourcePattern
ResourcePatternFilter: Any = _admin.ResourcePatternFilter
ResourceType: Any = _admin.ResourceType

ConsumerRebalanceListener: Any = _kafka.ConsumerRebalanceListener
OffsetAndMetadata: Any = _kafka.OffsetAndMetadata
TopicPartition: Any = _kafka.TopicPartition
DefaultRecordBatch: Any = import_module("kafka.record.default_records").DefaultRecordBatch
Serializer: Any = import_module("kafka.serializer").Serializer

for_code: Any = _errors.for_code  # the class of an error that an answer gives by number
