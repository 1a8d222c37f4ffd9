//! An account's users at the door, with what they hold there.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::members_by_provider::{
    self, AskedMember, Becomes, DoorMember, Grant, Holding, Invitation as Offered, Invite,
    KeptMember, KeyedThings, LONGEST_NAME, LONGEST_WHY, MemberName, MembersPage,
    ProvidersMemberDone, ProvidersMemberFacts, Refused, WantedGrant, WantedMember, WantedReach,
};
use domain::tokens::Token;
use model::{
    Area, DoorArea, DoorKey, DoorRef, EmailAddress, FieldProblem, GivenAccess, GivenGrant, GrantId,
    MOST_GRANTS, Permission, PermissionSet, Reach, Terms,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::entry::Door;
use crate::fields::{Fields, merged, written};
use crate::invitations::Invitation;
use crate::page::{Asked, Parameters};
use crate::problem::{Fault, Kind, Problem};
use crate::things::{
    Condition, DryRun, ListBody, Named, NamedTwice, Outcome, Said, answered, object, reference, sum,
};

/// What of a member is never written.
const READ_ONLY: [&str; 4] = ["id", "claimed", "since", "paused_since"];
/// How whoever isn't in the account comes into it.
const INVITES: [(&str, Invite); 2] = [("now", Invite::Now), ("first_sign_in", Invite::FirstSignIn)];
/// What of a grant is never written.
const READ_ONLY_OF_GRANT: [&str; 2] = ["given_by", "given_at"];

/// A user of an account, or somebody who hasn't come yet. In addresses they are named by your id, by their
/// e-mail address if nobody has that as an id, or by our id behind `id:`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// Our id of their login: the same in every account. Null until they come.
    #[schema(read_only)]
    id: Option<uuid::Uuid>,
    /// Your id of them in this account. Whoever has none can be given one.
    #[schema(required = false, min_length = 1, max_length = 200)]
    r#ref: Option<String>,
    /// Their e-mail address. Needed for somebody new whose name in the address is none, and left out or as
    /// it is for others.
    #[schema(required = false, format = Email)]
    email: String,
    /// Their name. Until they come it is what you call them, and may be left out; from then on they choose
    /// it, and it isn't looked at.
    #[schema(required = false, max_length = 200)]
    name: String,
    /// Whether they came and took what you gave them.
    #[schema(read_only)]
    claimed: bool,
    /// Whether they own the account: then they hold everything, and no grants. Who owns it stays so;
    /// `DELETE` with `owner=true` takes an owner out.
    #[schema(required = false, default = false)]
    owner: bool,
    /// What they hold, if they don't, or are offered until they come. Whoever is in an account holds
    /// something.
    #[schema(required = false, max_items = 50)]
    grants: Vec<MemberGrant>,
    /// `now` mails an invitation to whoever isn't in the account yet; `first_sign_in` has it wait until they
    /// come by themselves, as it does without. Not looked at for those who are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(write_only, required = false, example = "first_sign_in")]
    invite: Option<&'static str>,
    /// Since when they are in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(read_only, format = DateTime)]
    since: Option<String>,
    /// Since when their access is paused, and opens nothing; null if it isn't.
    #[schema(read_only, format = DateTime)]
    paused_since: Option<String>,
}

/// What somebody holds, or is offered: permissions, on what, and until when.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberGrant {
    /// Our id. Sent back, it says which grant is changed; without it, one that is as it is wanted stays
    /// the same, and others are new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    id: Option<uuid::Uuid>,
    /// Its permissions, with what they imply.
    #[schema(min_items = 1, example = json!(["services.manage", "billing.view"]))]
    permissions: Vec<&'static str>,
    /// Which services those about services reach: `all`, also those to come, or a list of your ids, or of
    /// ours behind `id:`. Needed if there is one, and left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, inline)]
    services: Option<Reached>,
    /// Which domains those about domains reach, in the same manner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, inline)]
    domains: Option<Reached>,
    /// The moment from which it opens nothing; null if it has no end.
    #[schema(required = false, format = DateTime)]
    until: Option<String>,
    /// Why it is given.
    #[schema(required = false, max_length = 200)]
    why: String,
    /// Our id of whoever gave it; null for you.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(read_only, value_type = Option<String>, format = Uuid)]
    given_by: Option<Value>,
    /// When it was given, or changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(read_only, format = DateTime)]
    given_at: Option<String>,
}

/// Which things of an area a grant reaches.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Reached {
    All(#[schema(inline)] Everything),
    /// Your ids, or ours behind `id:`.
    These(Vec<String>),
}

/// All things of an area, also those to come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Everything {
    All,
}

impl MemberGrant {
    /// What somebody is offered.
    pub(crate) fn offered(offered: &GivenAccess, things: &KeyedThings) -> Vec<Self> {
        let grant = |grant: &GivenGrant| Self::of_terms(&grant.terms, &grant.why, things);
        offered.grants().iter().map(grant).collect()
    }

    /// Terms that somebody is offered, or holds.
    fn of_terms(terms: &Terms, why: &str, things: &KeyedThings) -> Self {
        let reach = |area: Area, reach: &Reach| {
            terms.permissions.in_area(area).next()?;
            Some(match reach {
                Reach::All => Reached::All(Everything::All),
                Reach::These(ids) => {
                    let mut names: Vec<_> =
                        ids.iter().map(|id| things.name(area, *id).to_string()).collect();
                    names.sort();
                    Reached::These(names)
                }
            })
        };
        Self {
            id: None,
            permissions: terms.permissions.iter().map(Permission::id).collect(),
            services: reach(Area::Services, &terms.services),
            domains: reach(Area::Domains, &terms.domains),
            until: terms.until.map(written),
            why: why.to_owned(),
            given_by: None,
            given_at: None,
        }
    }

    fn of(grant: &Grant, things: &KeyedThings) -> Self {
        Self {
            id: Some(grant.id.into()),
            given_by: Some(json!(grant.given_by.map(uuid::Uuid::from))),
            given_at: Some(written(grant.given_at)),
            ..Self::of_terms(&grant.terms, &grant.why, things)
        }
    }

    /// Reads one. `shown` are those that are there, as answers show them.
    fn read(fields: &mut Fields<'_>, shown: &[Value]) -> Option<WantedGrant> {
        let id = fields.id_or_none("id");
        let permissions =
            fields.choices("permissions", "permission", |id| id.parse::<Permission>().ok());
        if permissions.as_ref().is_some_and(Vec::is_empty) {
            fields.fault("permissions", "missing", "It is needed.");
        }
        let set: Option<PermissionSet> =
            permissions.map(|permissions| permissions.into_iter().collect());
        let services = reach(fields, "services", Area::Services, set);
        let domains = reach(fields, "domains", Area::Domains, set);
        let (until, why) =
            (fields.moment_or_none("until"), fields.line_or_none("why", LONGEST_WHY));
        let same = id.flatten().and_then(|id| {
            shown.iter().find(|grant| grant["id"].as_str() == Some(id.to_string().as_str()))
        });
        let none = Map::new();
        fields.as_they_are(&READ_ONLY_OF_GRANT, same.and_then(Value::as_object).unwrap_or(&none));
        Some(WantedGrant {
            id: id?.map(GrantId::from),
            permissions: set?,
            services: services?,
            domains: domains?,
            until: until?,
            why: why?,
        })
    }
}

/// Which things of an area a grant with these permissions is to reach.
fn reach(
    fields: &mut Fields<'_>,
    name: &'static str,
    area: Area,
    permissions: Option<PermissionSet>,
) -> Option<Option<WantedReach>> {
    let said = fields.reach(name)?;
    let needed = permissions?.in_area(area).next().is_some();
    match (&said, needed) {
        (None, true) => {
            let wanted = "It is needed, as a permission is about them: `all`, or a list of ids.";
            fields.fault(name, "missing", wanted);
            None
        }
        (Some(_), false) => {
            fields.fault(name, "without_permission", "No permission is about them.");
            None
        }
        _ => Some(said),
    }
}

impl Member {
    pub(crate) fn show(kept: &KeptMember, things: &KeyedThings) -> Self {
        let (member, holding) = (&kept.member, &kept.holding);
        Self {
            id: Some(member.user.into()),
            r#ref: reference(kept.reference.as_ref()),
            email: member.email.to_string(),
            name: member.full_name.clone(),
            claimed: true,
            owner: matches!(holding, Holding::Owner),
            grants: holding.grants().iter().map(|grant| MemberGrant::of(grant, things)).collect(),
            invite: None,
            since: Some(written(member.since)),
            // What ends by itself says so in the grant.
            paused_since: member.paused.as_ref().map(|pause| written(pause.since())),
        }
    }

    /// Somebody who hasn't come yet.
    pub(crate) fn show_waiting(waiting: &Offered, things: &KeyedThings) -> Self {
        Self {
            id: None,
            r#ref: reference(waiting.reference.as_ref()),
            email: waiting.email.to_string(),
            name: waiting.full_name.clone(),
            claimed: false,
            owner: waiting.offered.is_owner(),
            grants: MemberGrant::offered(&waiting.offered, things),
            invite: None,
            since: None,
            paused_since: None,
        }
    }

    /// Reads how somebody is to stand. `shown` is how they do, and `named` what their address at the door
    /// says of them.
    fn read(fields: &mut Fields<'_>, shown: &Value, named: &MemberName) -> Option<WantedMember> {
        let own = shown["grants"].as_array().map(Vec::as_slice).unwrap_or_default();
        let owner = fields.truth("owner", false);
        let grants = fields.objects("grants", MOST_GRANTS, |fields| MemberGrant::read(fields, own));
        let invite = fields.word_or_none("invite", &INVITES);
        let full_name = fields.line_or_none("name", LONGEST_NAME);
        let (email, given) = (fields.email_or_none("email"), fields.reference_or_none("ref"));
        let email = email.and_then(|email| is_theirs(fields, email, shown, named));
        let given = given.and_then(|given| is_free(fields, given, shown, named));
        let none = Map::new();
        fields.as_they_are(&READ_ONLY, shown.as_object().unwrap_or(&none));
        let (owner, grants, invite, full_name) = (owner?, grants?, invite?, full_name?);
        let ((), ()) = (email?, given?);
        match (owner, grants.is_empty()) {
            (true, false) => {
                fields.fault("grants", "with_owner", "Who owns the account holds no grants.");
                None
            }
            (false, true) => {
                let wanted = "It is needed: DELETE takes somebody out of the account.";
                fields.fault("grants", "missing", wanted);
                None
            }
            _ => Some(WantedMember { owner, grants, full_name, invite }),
        }
    }
}

/// Whether an address that is sent is the one that they have, or somebody new can have.
fn is_theirs(
    fields: &mut Fields<'_>,
    sent: Option<EmailAddress>,
    shown: &Value,
    named: &MemberName,
) -> Option<()> {
    let present = shown["email"].as_str().and_then(|text| EmailAddress::parse(text).ok());
    let present = present.or_else(|| named.email());
    let same =
        |sent: &EmailAddress| present.as_ref().is_none_or(|present| present.key() == sent.key());
    if sent.as_ref().is_none_or(same) {
        return Some(());
    }
    fields.fault("email", "read_only", "It can't be changed; leave it out.");
    None
}

/// Whether an id that is sent is the one that they have, or they can be given one.
fn is_free(
    fields: &mut Fields<'_>,
    sent: Option<DoorRef>,
    shown: &Value,
    named: &MemberName,
) -> Option<()> {
    let own = match named {
        MemberName::Ref(own) if named.email().is_none() => Some(own.as_str()),
        MemberName::Ref(_) | MemberName::Id(_) => None,
    };
    let present = shown["ref"].as_str().or(own);
    if sent.is_none_or(|sent| present.is_none_or(|present| present == sent.as_str())) {
        return Some(());
    }
    fields.fault("ref", "read_only", "It can't be changed; leave it out.");
    None
}

fn value(member: &Member) -> Value {
    serde_json::to_value(member).unwrap_or_default()
}

/// Who is named so in an account.
fn name(key: DoorKey) -> Result<MemberName, Problem> {
    match key {
        DoorKey::Id(id) => Ok(MemberName::Id(id.into())),
        DoorKey::Ref(reference) => Ok(MemberName::Ref(reference)),
        DoorKey::Number(_) => Err(Kind::NotFound.into()),
    }
}

/// Who is asked for, and what an object says of them. What is wrong with that is told where all of it is
/// read.
pub(crate) fn asked(key: DoorKey, object: &Map<String, Value>) -> Result<AskedMember, Problem> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    Ok(AskedMember {
        name: name(key)?,
        email: text("email").and_then(|text| EmailAddress::parse(text).ok()),
        reference: text("ref").and_then(|text| text.parse().ok()),
    })
}

fn answer(status: StatusCode, shown: Value) -> Response {
    let tag = sum(&shown);
    answered(status, shown, &tag)
}

/// `GET …/accounts/{ref}/members`
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(account): Named,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<ListBody<Member>>, Problem> {
    token.must(DoorArea::Members.read())?;
    let asked = Asked::read(uri.path(), uri.query(), false)?;
    let (latchkey, most) = (&door.latchkey, asked.limit + 1);
    let found = members_by_provider::list(latchkey, &token, &account, asked.behind, most).await?;
    let MembersPage { mut rows, as_of, things } = found;
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    // Of all pages the first one tells it: what changed since is in none for sure.
    let as_of = asked.as_of.unwrap_or(as_of);
    let last = rows.last().filter(|_| more).map(|(place, _)| *place);
    let public_url = &latchkey.settings.public_url;
    Ok(Json(ListBody {
        items: rows.iter().map(|(_, member)| show(member, &things)).collect(),
        next: last.map(|behind| asked.next(public_url, behind, as_of)),
        as_of: written(as_of),
    }))
}

pub(crate) fn show(member: &DoorMember, things: &KeyedThings) -> Member {
    match member {
        DoorMember::Kept(kept) => Member::show(kept, things),
        DoorMember::Waiting(waiting) => Member::show_waiting(waiting, things),
    }
}

/// `GET …/accounts/{ref}/members/{ref}`
pub(crate) async fn one(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(account, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    token.must(DoorArea::Members.read())?;
    Parameters::of(uri.query(), &[]).finish()?;
    let name = name(key)?;
    let found = members_by_provider::find(&door.latchkey, &token, &account, &name).await?;
    let (member, things) = found;
    let shown = value(&show(&member, &things));
    let tag = sum(&shown);
    Ok(crate::things::read(&headers, shown, &tag))
}

/// `PUT …/accounts/{ref}/members/{ref}`
pub(crate) async fn put(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(account, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    token.must(DoorArea::Members.write())?;
    let object = object(&headers, &body)?;
    let (condition, asked) = (Condition::of(&headers), asked(key, &object)?);
    let named = asked.name.clone();
    let becomes = move |present: Option<Value>| {
        must_fulfil(&condition, present.as_ref())?;
        read(&object, &present.unwrap_or_default(), &named)
    };
    change(&door, &token, &account, &asked, uri.query(), &[], becomes).await
}

/// `PATCH …/accounts/{ref}/members/{ref}`
pub(crate) async fn patch(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(account, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    token.must(DoorArea::Members.write())?;
    let patch = object(&headers, &body)?;
    let (condition, asked) = (Condition::of(&headers), asked(key, &patch)?);
    let named = asked.name.clone();
    let becomes = move |present: Option<Value>| {
        let present = present.ok_or(Said::NotFound)?;
        must_fulfil(&condition, Some(&present))?;
        let mut object = present.as_object().cloned().unwrap_or_default();
        // Whoever comes to own the account holds no grants any more, also if nobody says so.
        if patch.get("owner") == Some(&json!(true)) {
            object.remove("grants");
        }
        read(&merged(object, patch), &present, &named)
    };
    change(&door, &token, &account, &asked, uri.query(), &[], becomes).await
}

/// `DELETE …/accounts/{ref}/members/{ref}`
pub(crate) async fn delete(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    NamedTwice(account, key): NamedTwice,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    token.must(DoorArea::Members.write())?;
    let condition = Condition::of(&headers);
    let mut parameters = Parameters::of(uri.query(), &["dry_run", "owner"]);
    let owner = parameters.truth("owner");
    let becomes = move |present: Option<Value>| {
        let present = present.ok_or(Said::NotFound)?;
        must_fulfil(&condition, Some(&present))?;
        Ok(Becomes::Nothing { owner })
    };
    let asked = AskedMember::named(name(key)?);
    change(&door, &token, &account, &asked, uri.query(), &["owner"], becomes).await
}

fn must_fulfil(condition: &Condition, present: Option<&Value>) -> Result<(), Said> {
    condition.must_fit(present.map(sum).as_deref())
}

fn read(object: &Map<String, Value>, shown: &Value, named: &MemberName) -> Result<Becomes, Said> {
    let mut fields = Fields::of(object, "");
    let read = Member::read(&mut fields, shown, named);
    fields.finish(read).map(Becomes::This).map_err(Said::Invalid)
}

async fn change(
    door: &Door,
    token: &Token,
    account: &DoorKey,
    asked: &AskedMember,
    query: Option<&str>,
    parameters: &[&str],
    becomes: impl FnOnce(Option<Value>) -> Result<Becomes, Said> + Send,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(query, &[&["dry_run"][..], parameters].concat());
    let dry_run = parameters.dry_run();
    let _ = parameters.truth("owner");
    parameters.finish()?;
    let latchkey = &door.latchkey;
    let becomes = |facts: &ProvidersMemberFacts| becomes(present(facts));
    let done =
        members_by_provider::change(latchkey, token, account, asked, !dry_run, becomes).await?;
    let stood = Stood::of(&done.map_err(refused)?);
    if dry_run {
        let outcome = stood.outcome();
        return Ok(Json(DryRun::of(outcome, stood.before, stood.after)).into_response());
    }
    match stood.after {
        Some(after) if stood.is_member && stood.was_member => Ok(answer(StatusCode::OK, after)),
        Some(after) if stood.is_member => Ok(answer(StatusCode::CREATED, after)),
        Some(offered) => Ok((StatusCode::ACCEPTED, Json(offered)).into_response()),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// A member, or who waits, as answers show them.
fn shown(
    kept: Option<&KeptMember>,
    waiting: Option<&Offered>,
    things: &KeyedThings,
) -> Option<Value> {
    let waiting = waiting.map(|waiting| Member::show_waiting(waiting, things));
    let member = kept.map(|kept| Member::show(kept, things)).or(waiting);
    member.map(|member| value(&member))
}

/// How somebody stands before a change.
fn present(facts: &ProvidersMemberFacts) -> Option<Value> {
    shown(facts.kept.as_ref(), facts.waiting(), &facts.things)
}

/// How somebody stood and stands, as answers show it: whoever isn't in the account before and after is
/// invited, or it waits for them.
pub(crate) struct Stood {
    before: Option<Value>,
    after: Option<Value>,
    was_member: bool,
    is_member: bool,
}

impl Stood {
    pub(crate) fn of(done: &ProvidersMemberDone) -> Self {
        let [waited, waits] = done.waiting();
        let ProvidersMemberDone { before, after, invited_before, invited, things } = done;
        let is_offer = before.is_none() && after.is_none();
        let before = shown(before.as_ref(), waited, things);
        let after = shown(after.as_ref(), waits, things);
        let (was_member, is_member) = (before.is_some(), after.is_some());
        let offer = |one: &Option<Offered>| {
            let shown = one.as_ref().map(|one| Invitation::show(one, None, things));
            shown.and_then(|shown| serde_json::to_value(shown).ok())
        };
        let (before, after) = match is_offer {
            true => (before.or_else(|| offer(invited_before)), after.or_else(|| offer(invited))),
            false => (before, after),
        };
        Self { before, after, was_member, is_member }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match (&self.before, &self.after) {
            (None, _) => Outcome::Created,
            (Some(_), None) => Outcome::Deleted,
            (Some(before), Some(after)) if before == after => Outcome::Unchanged,
            (Some(_), Some(_)) => Outcome::Changed,
        }
    }
}

/// How somebody is to stand who is named so, by an object that says all of it.
pub(crate) fn whole(
    object: &Map<String, Value>,
    facts: &ProvidersMemberFacts,
    named: &MemberName,
) -> Result<Becomes, Said> {
    read(object, &present(facts).unwrap_or_default(), named)
}

/// What a change that came to nothing is told.
pub(crate) fn refused(refused: Refused<Said>) -> Problem {
    let at = |pointer: String, code, detail: &str| {
        Problem::invalid(vec![Fault::at(pointer, code, detail.to_owned())])
    };
    let of_address = |code, detail: &str| Problem::invalid(vec![Fault::of("member", code, detail)]);
    match refused {
        Refused::Said(said) => said.into(),
        Refused::NotFound => Kind::NotFound.into(),
        Refused::NoAddress => at(
            "/email".to_owned(),
            "missing",
            "Nobody in the account is named so: with their address somebody comes along.",
        ),
        Refused::OtherRef => at(
            "/email".to_owned(),
            "other_ref",
            "Whoever has this address has another id of yours in the account.",
        ),
        Refused::RefTaken => {
            at("/ref".to_owned(), "taken", "Somebody else in the account has this id of yours.")
        }
        Refused::OwnerStays => at(
            "/owner".to_owned(),
            "owner_stays",
            "They own the account. Say `true` to leave it so; DELETE with owner=true takes them out.",
        ),
        Refused::LastOwner => at(
            "/owner".to_owned(),
            "last_owner",
            "Nobody else who can sign in owns the account: make somebody else an owner first.",
        ),
        Refused::NoSuchGrant(grant) => {
            at(format!("/grants/{grant}/id"), "unknown", "They hold no such grant.")
        }
        Refused::NotThere { grant, area, place } => {
            let (list, thing) = match area {
                Area::Domains => ("domains", "domain"),
                Area::Services | Area::Billing | Area::Support | Area::Account => {
                    ("services", "service")
                }
            };
            let detail = format!("The account has no such {thing}.");
            at(format!("/grants/{grant}/{list}/{place}"), "unknown", &detail)
        }
        Refused::End(grant, FieldProblem::Past) => {
            at(format!("/grants/{grant}/until"), "out_of_range", "It has passed.")
        }
        Refused::End(grant, _) => {
            let detail = "It is more than ten years away.";
            at(format!("/grants/{grant}/until"), "out_of_range", detail)
        }
        Refused::OtherDomain => of_address(
            "other_domain",
            "The account's owners take in addresses of other domains only.",
        ),
        Refused::Reported => {
            of_address("reported", "Whoever has this address takes no invitations of the account.")
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What is read of a member, and of a grant.
    pub(crate) fn fields() -> [Vec<&'static str>; 2] {
        let object = Map::new();
        let mut member = Fields::of(&object, "");
        let named = MemberName::Ref("kari".parse().unwrap());
        let _ = Member::read(&mut member, &Value::Null, &named);
        let mut grant = Fields::of(&object, "");
        let _ = MemberGrant::read(&mut grant, &[]);
        [member.known().to_vec(), grant.known().to_vec()]
    }
}
