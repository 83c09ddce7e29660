# The ledger's image: what the lock names, by hash, and the project's own wheel, under a user without rights.

FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.lock requirements-dev.lock ./
# uv comes from the lock, by hash; the rest comes through it.
RUN sed -n '/^uv==/,/# via/p' requirements-dev.lock > uv.lock \
    && python -m pip install --no-cache-dir --require-hashes -r uv.lock \
    && python -m venv --without-pip /opt/claims \
    && uv pip install --no-cache --python /opt/claims --require-hashes -r requirements.lock
COPY . .
RUN uv build --no-cache --wheel --require-hashes --build-constraints requirements-dev.lock --out-dir . \
    && uv pip install --no-cache --python /opt/claims --no-deps ./*.whl

FROM python:3.13-slim
COPY --from=build /opt/claims /opt/claims
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/claims-ledger claims
USER claims
WORKDIR /var/lib/claims-ledger
ENV CLAIMS_HOME=/var/lib/claims-ledger \
    CLAIMS_LOG_JSON=true
ENTRYPOINT ["/opt/claims/bin/claims"]
