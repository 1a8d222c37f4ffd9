"""What schemathesis is told beside the OpenAPI document, so that its requests reach something: the keys of what there
is, whose it is, and bodies that are nearly good. Checks that a token of one account reads nothing of another one, and
that every request of the document came to something at least once."""

import json
import os
import random
import re
import urllib.request
from collections import Counter
from urllib.parse import quote, unquote

import schemathesis

API = os.environ["DOOR_URL"]
# A token of all accounts, which prepares things, and whether the one under test sees one account alone.
TOKEN = os.environ["DOOR_TOKEN"]
IS_BOUND = os.environ["DOOR_IS_BOUND"] == "true"
OWN, OTHER = "id:100001", "id:100002"

KINDS = ("services", "domains", "invoices", "support-requests")
AT = "2027-06-30T12:00:00Z"
# A good body for each kind, and what can be said of it in its place.
GOOD = {
    "accounts": {"name": "Fjord", "street": "Bryggen 1", "postal_code": "5003", "town": "Bergen", "time_zone": "Europe/Oslo"},
    "services": {"name": "Webshop", "plan": "M", "state": "suspended", "renews_at": AT, "login_name": "shop",
                 "login_password": "open sesame", "links": {"open": "https://panel.example/open"}},
    "domains": {"name": "cakes.example", "state": "active", "expires_at": AT, "links": {"renew": "https://panel.example/"}},
    "invoices": {"number": "2027-1", "issued_at": AT, "due_at": AT, "total_minor": 49900, "currency": "NOK",
                 "state": "paid", "links": {"pay": "https://pay.example/1"}},
    "support-requests": {"number": "4711", "subject": "Slow", "state": "answered", "opened_by": "Ingrid", "last_said_at": AT},
    "messages": {"author": "Support", "words": "We look\ninto it", "at": AT},
    "members": {"grants": [{"permissions": ["billing.view"], "why": "Books"}], "invite": "now"},
    # Nobody is there: what is told of events goes nowhere.
    "webhooks": {"url": "https://hooks.example/", "kinds": ["member.added"]},
    "rotate": {"overlap_hours": 2},
}


def ask(method, path, body=None):
    """Asks as somebody whom nothing is wrong with."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(API + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def items(path):
    return ask("GET", f"{path}{'&' if '?' in path else '?'}limit=200")["items"]


def prepare(account, whose):
    """Gives an account one of each kind by an id of the provider's, and somebody who is invited."""
    for kind in KINDS:
        ask("PUT", f"/{kind}/{quote(f'{whose} {kind}')}", {**GOOD[kind], "account": account})
    messages = f"/support-requests/{quote(f'{whose} support-requests')}/messages"
    ask("PUT", f"{messages}/{whose}-message", GOOD["messages"])
    ask("PUT", f"/accounts/{account}/members/{whose}@invited.example", GOOD["members"])


def keys_of(account):
    """What can be named in an account, by kind."""
    keys = {"accounts": [account]}
    for kind in KINDS:
        things = items(f"/{kind}?account={account}")
        keys[kind] = [thing["ref"] for thing in things if thing["ref"]] + [f"id:{thing['id']}" for thing in things[:3]]
    members = items(f"/accounts/{account}/members")
    # Who hasn't come yet has no id of ours.
    keys["members"] = [member["email"] for member in members] + [f"id:{one['id']}" for one in members if one["id"]]
    keys["invitations"] = [f"id:{one['id']}" for one in items(f"/accounts/{account}/invitations")]
    return keys


def strings_in(value):
    """Every string in an answer, without the names of its fields."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {word for inner in value for word in strings_in(inner)}
    return {value} if isinstance(value, str) else set()


def words_of(account):
    """What tells of an account, and stands in no other's things unless it is theirs, too."""
    telling = ("id", "ref", "name", "number", "subject", "email", "words", "account", "invited_by", "given_by")
    words = set()

    def read(value):
        if isinstance(value, dict):
            for name, inner in value.items():
                if name in telling and isinstance(inner, str) and len(inner) >= 6:
                    words.add(inner)
                read(inner)
        elif isinstance(value, list):
            for inner in value:
                read(inner)

    read(ask("GET", f"/accounts/{account}"))
    for path in [f"/{kind}?account={account}" for kind in KINDS] + [f"/accounts/{account}/{of}" for of in ("members", "invitations")]:
        read(items(path))
    return words


for account, whose in ((OWN, "own"), (OTHER, "other")):
    prepare(account, whose)
KEYS, OTHERS_KEYS = keys_of(OWN), keys_of(OTHER)
OTHERS_WORDS = words_of(OTHER) - words_of(OWN)
OTHERS_IDS = {word for word in OTHERS_WORDS if re.fullmatch("[0-9a-f-]{36}", word)}
WEBHOOK = "id:" + ask("POST", "/webhooks", GOOD["webhooks"])["id"]
assert len(OTHERS_IDS) > 8, "there is too little in the other account to find any of it"
# Somebody whose access can be ended, and nobody ends but in a dry run.
USER = next(one for one in items(f"/accounts/{OWN}/members") if one["id"] and not one["owner"])
KEYS["members"] = [key for key in KEYS["members"] if key not in (USER["email"], f"id:{USER['id']}")]

calls = 0
tried = Counter()


def kind_of(case):
    """What a request's body is about, and its place: the last word of its path."""
    parts = [part for part in case.path.split("/") if part and not part.startswith("{")]
    return parts[-1].removesuffix(":batch") if parts else ""


def some(chance, kind):
    """The key of something there is: mostly one's own."""
    keys = KEYS if chance.random() < 0.7 else OTHERS_KEYS
    return chance.choice(keys.get(kind) or KEYS["accounts"])


def nearly_good(chance, kind, sent):
    """A good body with one field as it was generated."""
    body = dict(GOOD[kind])
    if kind in KINDS:
        body["account"] = OWN if chance.random() < 0.8 else some(chance, "accounts")
    if isinstance(sent, dict) and sent and chance.random() < 0.6:
        name = chance.choice(sorted(sent))
        body[name] = sent[name]
    return body


def without_conditions(case):
    for name in ("If-Match", "If-None-Match", "Idempotency-Key"):
        if case.headers:
            case.headers.pop(name, None)


def make_good(case):
    """Has a request come to something, whatever was generated for it, and be about something that is there."""
    kind, first, path = kind_of(case), case.path.split("/")[1], case.path_parameters
    without_conditions(case)
    case.query = {"dry_run": "true"} if case.method == "DELETE" else {}
    if path and "ref" in path:
        if first in KINDS:
            prepare(OWN, "own")
        path["ref"] = OWN if first == "accounts" else f"own {first}"
        if first == "webhooks":
            path["ref"] = "id:" + ask("POST", "/webhooks", GOOD["webhooks"])["id"]
        if "message" in path:
            path["message"] = "own-message"
        if "member" in path:
            path["member"] = USER["email"]
        if "invitation" in path:
            invited = ask("PUT", f"/accounts/{OWN}/members/own@invited.example", GOOD["members"])
            path["invitation"] = f"id:{invited['id']}"
    if case.method in ("PUT", "PATCH", "POST"):
        body = {**GOOD[kind], "account": OWN} if kind in KINDS else dict(GOOD[kind])
        case.body = {"items": [{**body, "ref": OWN if kind == "accounts" else f"own {kind}"}]} if ":batch" in case.path else body


@schemathesis.hook
def before_call(context, case, kwargs):
    """Has a generated request reach something: the first are good, of the others most parts are, and one isn't."""
    global calls
    calls += 1
    tried[case.operation.label] += 1
    if tried[case.operation.label] <= 2 and case.method.lower() == case.operation.method.lower():
        make_good(case)
        return
    chance = random.Random(calls)
    kind = kind_of(case)
    path = case.path_parameters
    if path and chance.random() < 0.8:
        first = case.path.split("/")[1]
        if "ref" in path:
            path["ref"] = WEBHOOK if first == "webhooks" else some(chance, first)
        if "invitation" in path:
            path["invitation"] = some(chance, "invitations")
        # Whoever invites an address knows it.
        if "member" in path:
            others = case.method in ("GET", "DELETE")
            path["member"] = some(chance, "members") if others else chance.choice(KEYS["members"])
        if "message" in path:
            whose = chance.choice(["own", "own", "other"])
            path["ref"] = f"{whose} support-requests"
            path["message"] = chance.choice([f"{whose}-message", "new"])
    # What depends on the state comes to nothing mostly, and a name is one request's.
    for name, keep in (("If-Match", 0.1), ("If-None-Match", 0.2), ("Idempotency-Key", 0.3)):
        if case.headers and name in case.headers and chance.random() >= keep:
            del case.headers[name]
    # It is looked at before the method.
    if case.headers and case.method.lower() != case.operation.method.lower():
        case.headers.pop("Idempotency-Key", None)
    if case.headers and 0 < len(case.headers.get("Idempotency-Key", "")) < 200:
        case.headers["Idempotency-Key"] += f" {calls}"
    for name in ("cursor", "updated_since", "account"):
        if case.query and name in case.query and chance.random() < 0.7:
            del case.query[name]
    if kind in GOOD and isinstance(case.body, dict):
        if case.path.endswith(":batch"):
            rows = case.body.get("items")
            if isinstance(rows, list) and chance.random() < 0.7:
                case.body["items"] = [
                    {**nearly_good(chance, kind, row), "ref": some(chance, kind) if chance.random() < 0.5 else f"new {calls}"}
                    for row in rows[:5]
                ]
        elif chance.random() < 0.7:
            case.body = nearly_good(chance, kind, case.body)
    # Whatever is generated: nobody out there is told of anything.
    if kind == "webhooks" and isinstance(case.body, dict) and isinstance(case.body.get("url"), str):
        case.body["url"] = GOOD["webhooks"]["url"]


@schemathesis.check
class nothing_of_other_accounts:
    """A token of one account names and reads nothing of another one."""

    def __init__(self):
        self.aimed = 0

    def after_response(self, ctx, response, case):
        if not IS_BOUND:
            return
        named = (case.path_parameters or {}).get("ref")
        first = case.path.split("/")[1]
        if named in OTHERS_KEYS.get(first, ()):
            self.aimed += 1
            assert response.status_code >= 400, f"{named} is another account's, and the answer is {response.status_code}"
        if response.status_code < 300:
            request = response.request
            body = request.body.decode("utf-8", "replace") if isinstance(request.body, bytes) else request.body or ""
            sent = unquote(request.url) + body
            said = strings_in(response.json()) if response.content else set()
            read = {word for word in OTHERS_WORDS & said if word not in sent}
            # An id tells of its account wherever it stands.
            read |= {word for word in OTHERS_IDS if word in response.text and word not in sent}
            assert not read, f"the answer tells of another account: {', '.join(sorted(read))}"

    def after_run(self, ctx):
        assert not IS_BOUND or self.aimed > 50, f"only {self.aimed} requests were about another account"


@schemathesis.check
class every_request_came_to_something:
    """What was refused each time, whatever was sent, wasn't tried."""

    def __init__(self):
        self.seen = {}

    def after_response(self, ctx, response, case):
        self.seen.setdefault(case.operation.label, set()).add(response.status_code)

    def after_run(self, ctx):
        refused = [label for label, seen in self.seen.items() if min(seen) >= 300]
        if IS_BOUND:
            refused = [label for label in refused if "/webhooks" not in label]
        assert not refused, f"nothing but refusals: {', '.join(sorted(refused))}"
