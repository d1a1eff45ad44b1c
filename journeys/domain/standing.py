"""Whether what staff, a mentor or a partner is written to about still stands: asked when the message leaves."""

from journeys.domain.state import GrantStatus, Message, State


def is_settled(state: State, message: Message) -> bool:
    """Whether nobody awaits any more what a message asks for; one that tells what has happened stays true."""
    id, occurrence = message.about.id, str(message.data["occurrence"])
    match message.about.kind, message.data["template"]:
        case "referral", "referral-sent":
            return id not in state.referrals
        case "mentor", "mentor-proposed":
            return occurrence.rpartition("/")[2] not in state.proposals
        case "mentor", "mentor-wanted":
            return state.match is not None or not state.is_open
        case "grant", "approval-wanted":
            known = state.grants[id]
            return int(occurrence.rpartition("/")[2]) < known.asked or not known.wanted[message.to]
        case "grant", "grant-returned":
            return state.grants[id].over is not None or state.grants[id].status is not GrantStatus.RETURNED
        case "receipt", "receipt-submitted":
            return state.receipts[id].settled is not None or state.receipts[id].submitted is None
        case "receipt", "receipt-refused" | "receipt-in-part":
            return state.receipts[id].settled is not None or state.receipts[id].submitted is not None
        case "transfer", "transfer-asked":
            return state.transfer is None or state.transfer.transfer != id
        case "appointment", "summons-unreminded":
            summons = state.appointments[id]
            return summons.outcome is not None or summons.at.isoformat() != occurrence.split("/")[2]
        case "journey", "closing-wanted":
            return not state.is_open
        case _:
            return False
