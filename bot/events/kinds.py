"""The kinds of events that other systems may count on: their names stay, their meaning is written here
once.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.text.nearest import nearest

KINDS: Mapping[str, str] = {
    "heard": "a customer wrote or pressed a button, and something came of it (`dialog`, `result`, `seconds`)",
    "voice_transcribed": "a voice message was written down (`seconds`, `sure`, `by`)",
    "answered": "the bot answered with an article (`article`, `confidence`)",
    "feedback": "a customer said whether an article helped (`article`, `helped`)",
    "menu_opened": 'a customer looked into the menu of sections (`section`, "" = all of them; `page`)',
    "unanswered": "no article answered a question",
    "form_filled": "a customer answered a form",
    "consent_given": "a customer agreed that contacts are kept (`customer`, `version`, `channel`, `text`)",
    "consent_refused": "a customer did not agree (`customer`, `version`)",
    "consent_withdrawn": "a customer took the consent back: delete what you know (`customer`, `version`)",
    "answer_wished": "a waiting customer said when and where to be answered (`at`, `by`)",
    "ticket_opened": "a customer is handed over to people (`priority`)",
    "ticket_taken": "an operator took a ticket",
    "ticket_assigned": "a ticket was given to an operator",
    "ticket_transferred": "a ticket was handed on to a person or a team",
    "ticket_returned": "a ticket was given back to the bot",
    "ticket_snoozed": "a ticket was put off",
    "ticket_priority": "the priority of a ticket changed (`priority`)",
    "ticket_category": "the reason of a ticket was chosen (`category`)",
    "dialog_scored": "the scorecard of a closed ticket was filled in by itself (`of`, `score`, `marks`)",
    "dialog_reviewed": "a supervisor scored a dialog (`of`, `score`, `marks`, `reason`)",
    "mystery_started": "a supervisor started a mystery customer (`run`, `scenario`)",
    "playbook_chosen": "an operator chose another playbook for a ticket (`playbook`)",
    "playbook_step": "a step of a ticket's playbook was done, or taken back (`playbook`, `step`, `done`)",
    "playbook_ended": "a ticket with a playbook was closed (`playbook`, `steps`, `done`, `required_open`)",
    "compensation_given": "an operator gave a compensation within their limit (`amount`)",
    "compensation_asked": "an operator asked to be allowed a compensation (`amount`)",
    "compensation_waits": "nobody decides on a compensation (`times`)",
    "compensation_decided": "a supervisor decided on a compensation (`amount`, `decision`, `of`, `wait`)",
    "ticket_tagged": "the tags of a ticket changed (`tags`)",
    "ticket_followed": "a customer went on in another channel, and the open ticket with them",
    "ticket_closed": "a ticket was closed",
    "ticket_reopened": "a closed ticket was opened again",
    "first_reply": "a person answered for the first time in a ticket",
    "operator_wrote": "an operator answered a customer",
    "customer_wrote": "a customer wrote in an open ticket",
    "customer_blocked": "a customer forbade messages",
    "customer_shut_out": "a supervisor blocked a customer (`customer`, `until`)",
    "customer_let_in": "a blocked customer is answered again (`customer`, `how`: operator or time)",
    "sla_near": "a deadline of a ticket is near",
    "sla_breached": "a deadline of a ticket passed",
    "rated": "a customer rated the talk (`rating`, 1 to 5)",
    "low_rating": "the rating was 1 or 2",
    "told_about": "the bot answered about itself or the business (`topic`)",
    "answered_meanwhile": "the bot answered somebody who waits for a person; the ticket stays (`article`)",
    "delivery_failed": "something could not be delivered to a customer or to the desk",
    "attributes_changed": "another system, or somebody on the pages, changed what is known of a customer",
    "message_requested": "another system sent a customer a message",
    "customers_joined": "two customers are one person (`into`, `other`)",
    "customers_parted": "a joining was undone (`into`, `other`)",
    "customer_forgotten": "`bot forget`: forget them, too, if you were told their words (`words: true`)",
    "operator_away": "an operator is away",
    "operator_back": "an operator is back",
    "thanked": "a customer was thanked after a ticket, where no rating was asked for",
    "check_in_asked": "some days after a ticket a customer was asked whether all is well",
    "check_in_answered": "and answered (`helped`); a no opens the ticket again",
    "sequence_began": "a customer began a follow-up sequence (`number`: its name)",
    "sequence_said": "a step of it was enqueued (`number`, `step`, `channel`)",
    "sequence_ended": "it is over (`number`, `why`: done, unless, opted_out, stopped or busy)",
    "sequence_stopped": "a supervisor stopped a sequence (`number`)",
    "sequence_resumed": "and let it go on (`number`)",
    "points_told": "a customer asked for their loyalty points (`helped`: whether there were any)",
    "upset_customer": "supervisors were told of an important customer who is upset",
    "upset_customer_waits": "and that this customer still waits for an answer",
    "apologized": "a supervisor apologised for a low rating",
    "article_published": "an editor published an article (`article`; `reason`: in spite of the gate)",
    "article_withdrawn": "an editor unpublished an article (`article`)",
    "nps_scored": "a customer said whether they would recommend the business (`score`, 0 to 10)",
    "news_off": "a customer wants no broadcasts any more",
    "news_on": "a customer wants them again",
    "incident_on": "a supervisor announced an incident (`number`)",
    "incident_met": "a customer asked about an incident (`number`)",
    "incident_off": "an incident is over (`number`, `count` of those who asked)",
    "idea_given": "a customer suggested something",
    "idea_supported": "a customer wants what somebody else suggested",
    "idea_status": "a supervisor decided on ideas (`ideas`, `status`)",
    "idea_told": "a customer was told what became of an idea (`number`)",
    "topic_rose": "a topic is asked about unusually often (`topic`, `count` in an hour, `usual`)",
    "topic_calm": "it is asked about as usual again (`topic`)",
    "topic_quiet": "a supervisor wants to hear no more of it for a day (`topic`)",
    "broadcast_started": "a broadcast was sent on its way (`number`, `count`)",
    "flow_started": "a customer began a flow of the owner's folder (`flow`; of a questionnaire its `number`)",
    "flow_ended": "a flow ended (`flow`, `ending`: done, article, cancelled, expired or person, `step`)",
    "flow_call_failed": "another system did not answer a flow (`flow`, `step`)",
    "questionnaire_answered": "a customer answered a question of a questionnaire (`flow`, `number`, `step`)",
    "questionnaire_reminded": "a customer was reminded of a questionnaire (`flow`, `number`)",
    "broadcast_said": "a broadcast was enqueued for a customer (`number`)",
}


def meant(kind: str) -> str:
    """The known kind that *kind* is a slip of; "" where it is known, or is somebody's own (dialogs may make
    their own kinds).
    """
    if kind in KINDS or kind == "*":
        return ""
    return next(iter(nearest(kind, KINDS, likeness=85)), "")
