"""What people write on the files of the synthetic portfolio: short, plausible, about nobody."""

from domain.terms import EscalationKind, Head, Trigger

# Share of dental claims by cause: extractions 24 %, root canal 20 %, caries 17 %, periodontal 10 %,
# implants 9 %, as a defence organisation published them in 2017.
DENTAL_CAUSES = (
    (24, "Extraction: wrong tooth or avoidable nerve injury alleged."),
    (20, "Root canal treatment: perforation or missed canal alleged."),
    (17, "Caries and fillings: failure to diagnose over several check-ups alleged."),
    (10, "Periodontal disease: failure to monitor and to refer alleged."),
    (9, "Implants: poor planning and consent alleged."),
    (20, "Crowns, bridges or orthodontics: poor treatment plan alleged."),
)
MEDICAL_CAUSES = (
    (26, "Delay in diagnosis and referral alleged."),
    (20, "Surgery: technique and consent alleged."),
    (16, "Orthopaedics: alignment and aftercare alleged."),
    (14, "Obstetrics: monitoring in labour alleged."),
    (13, "Emergency attendance: fracture or infection missed alleged."),
    (11, "Medication: dose or interaction alleged."),
)
DENTAL_HEADS = (
    Head.FUTURE_TREATMENT,
    Head.PSLA,
    Head.PAST_TREATMENT,
    Head.REFUND_OF_FEES,
    Head.TRAVEL_MISC,
)
MEDICAL_HEADS = (
    Head.FUTURE_CARE,
    Head.PSLA,
    Head.FUTURE_LOSS_EARNINGS,
    Head.PAST_CARE,
    Head.FUTURE_TREATMENT,
    Head.PAST_LOSS_EARNINGS,
)
REASONS = {
    Trigger.INITIAL: (
        "First view on the member's report and the records to hand.",
        "Opening estimate from the allegation; records still to come.",
    ),
    Trigger.PERIODIC_REVIEW: (
        "Diary review: position on causation has moved.",
        "Review: schedule of loss is fuller than was assumed.",
        "Review: treatment plan costed by the new dentist or clinic.",
    ),
    Trigger.EXPERT: (
        "Expert supports breach in part; prognosis worse than assumed.",
        "Expert does not support causation of the larger head.",
    ),
    Trigger.LETTER_OF_CLAIM: ("Letter of claim adds heads of loss that were not intimated.",),
    Trigger.COURT: ("Proceedings change the costs and the likely value.",),
    Trigger.COSTS: ("Costs to date and to come, as reported by the panel firm.",),
    Trigger.SETTLEMENT: ("Brought to the figure agreed.",),
}
OBJECTIVES = (
    "Investigate breach before taking a view; settle early if it is made out.",
    "Defend on causation; keep quantum evidence under review.",
    "Settle within the estimate before the costs outgrow the damages.",
    "Admit what cannot be defended, and contest the future losses.",
)
STEPS = (
    "Obtain the full records",
    "Member's comments on the allegations",
    "Instruct an expert on breach",
    "Ask for the schedule of loss",
    "Consider who else should contribute",
    "Consider a Part 36 offer",
    "Diary the response date",
)
QUESTIONS = {
    EscalationKind.QUANTUM: (
        "Is the claimed future treatment worth more than half its estimate?",
        "Which bracket should be reserved for pain and suffering here?",
    ),
    EscalationKind.STRATEGY: (
        "Should breach be admitted now to contain costs?",
        "Is this one to hold to the merits rather than settle commercially?",
    ),
    EscalationKind.APPORTIONMENT: ("Would two thirds to us be a fair opening to the other body?",),
    EscalationKind.TECHNICAL: ("Does the date of knowledge put part of the claim out of time?",),
}
DIRECTIONS = (
    "Obtain the expert's addendum before moving further.",
    "Hold at the present figure until the schedule is verified.",
    "Proceed, and record the reason if the figure is exceeded.",
)
NIL_OUTCOMES = (
    "Claimant did not pursue the matter after our response.",
    "Breach denied with expert support; claim withdrawn.",
    "Primary limitation expired without proceedings.",
    "No contact from the claimant's side for more than a year.",
)
