//! An account's users at the door, with what they hold there.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::members_by_provider::{
    self, Becomes, Grant, Holding, KeptMember, KeyedThings, LONGEST_WHY, MemberName,
    ProvidersMemberDone, ProvidersMemberFacts, Refused, WantedGrant, WantedMember, WantedReach,
};
use domain::tokens::Token;
use model::{
    Area, DoorArea, DoorKey, EmailAddress, FieldProblem, GrantId, MOST_GRANTS, Permission,
    PermissionSet, Reach, Terms,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::entry::Door;
use crate::fields::{Fields, merged, written};
use crate::invitations::Invitation;
use crate::page::{Asked, Parameters};
use crate::problem::{Fault, Kind, Problem};
use crate::things::{Condition, DryRun, Named, NamedTwice, Outcome, PageBody, Said, object};

/// What of a member is never written.
const READ_ONLY: [&str; 5] = ["id", "email", "name", "since", "paused_since"];
/// What of a grant is never written.
const READ_ONLY_OF_GRANT: [&str; 2] = ["given_by", "given_at"];

/// A user of an account. In addresses they are named by their e-mail address, or by our id behind `id:`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// Our id of their login: the same in every account.
    #[schema(read_only)]
    id: uuid::Uuid,
    /// Their e-mail address.
    #[schema(read_only, format = Email)]
    email: String,
    /// Their name.
    #[schema(read_only)]
    name: String,
    /// Whether they own the account: then they hold everything, and no grants. Who owns it stays so;
    /// `DELETE` with `owner=true` takes an owner out.
    #[schema(required = false, default = false)]
    owner: bool,
    /// What they hold, if they don't. Whoever is in an account holds something.
    #[schema(required = false, max_items = 50)]
    grants: Vec<MemberGrant>,
    /// `now` invites whoever isn't in the account yet, with one grant or as an owner. Not looked at for
    /// those who are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(write_only, required = false, example = "now")]
    invite: Option<&'static str>,
    /// Since when they are in the account.
    #[schema(read_only, format = DateTime)]
    since: String,
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
    /// Terms that somebody is offered, or holds.
    pub(crate) fn of_terms(terms: &Terms, why: &str, things: &KeyedThings) -> Self {
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
            id: member.user.into(),
            email: member.email.to_string(),
            name: member.full_name.clone(),
            owner: matches!(holding, Holding::Owner),
            grants: holding.grants().iter().map(|grant| MemberGrant::of(grant, things)).collect(),
            invite: None,
            since: written(member.since),
            // What ends by itself says so in the grant.
            paused_since: member.paused.as_ref().map(|pause| written(pause.since())),
        }
    }

    /// Reads how somebody is to stand. `shown` is how they do.
    fn read(fields: &mut Fields<'_>, shown: &Value) -> Option<WantedMember> {
        let own = shown["grants"].as_array().map(Vec::as_slice).unwrap_or_default();
        let owner = fields.truth("owner", false);
        let grants = fields.objects("grants", MOST_GRANTS, |fields| MemberGrant::read(fields, own));
        let invite = fields.truth_of("invite", "now");
        let none = Map::new();
        fields.as_they_are(&READ_ONLY, shown.as_object().unwrap_or(&none));
        let (owner, grants, invite) = (owner?, grants?, invite?);
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
            _ => Some(WantedMember { owner, grants, invite }),
        }
    }
}

fn value(kept: &KeptMember, things: &KeyedThings) -> Value {
    serde_json::to_value(Member::show(kept, things)).unwrap_or_default()
}

/// What tells one state of a thing from another, where nothing notes when it changed.
fn etag(shown: &Value) -> String {
    let hash: [u8; 32] = Sha256::digest(shown.to_string()).into();
    let hash: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hash}\"")
}

/// Who is named so in an account.
fn name(key: DoorKey) -> Result<MemberName, Problem> {
    match key {
        DoorKey::Id(id) => Ok(MemberName::Id(id.into())),
        DoorKey::Ref(text) => {
            let email = EmailAddress::parse(text.as_str());
            email.map(MemberName::Email).map_err(|_| Kind::NotFound.into())
        }
        DoorKey::Number(_) => Err(Kind::NotFound.into()),
    }
}

fn answer(shown: Value) -> Response {
    let tag = etag(&shown);
    let mut response = Json(shown).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// `GET …/accounts/{ref}/members`
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(token): Extension<Token>,
    Named(account): Named,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<PageBody<Member>>, Problem> {
    token.must(DoorArea::Members.read())?;
    let asked = Asked::in_order(uri.path(), uri.query())?;
    let (latchkey, most) = (&door.latchkey, asked.limit + 1);
    let behind = asked.behind.id;
    let found = members_by_provider::list(latchkey, &token, &account, behind, most).await?;
    let (mut rows, things) = found;
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    let last = rows.last().filter(|_| more).map(|kept| kept.member.user);
    Ok(Json(PageBody {
        items: rows.iter().map(|kept| Member::show(kept, &things)).collect(),
        next: last.map(|last| asked.next_behind(&latchkey.settings.public_url, last.into())),
    }))
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
    let (kept, things) = found;
    let shown = value(&kept, &things);
    let known = Condition::of(&headers).is_known(&etag(&shown));
    let mut response = answer(shown);
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    Ok(response)
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
    let condition = Condition::of(&headers);
    let becomes = move |present: Option<Value>| {
        must_fulfil(&condition, present.as_ref())?;
        read(&object, &present.unwrap_or_default())
    };
    change(&door, &token, &account, key, uri.query(), &[], becomes).await
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
    let condition = Condition::of(&headers);
    let becomes = move |present: Option<Value>| {
        let present = present.ok_or(Said::NotFound)?;
        must_fulfil(&condition, Some(&present))?;
        let mut object = present.as_object().cloned().unwrap_or_default();
        // Whoever comes to own the account holds no grants any more, also if nobody says so.
        if patch.get("owner") == Some(&json!(true)) {
            object.remove("grants");
        }
        read(&merged(object, patch), &present)
    };
    change(&door, &token, &account, key, uri.query(), &[], becomes).await
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
    change(&door, &token, &account, key, uri.query(), &["owner"], becomes).await
}

fn must_fulfil(condition: &Condition, present: Option<&Value>) -> Result<(), Said> {
    match condition.fulfilled(present.map(etag).as_deref()) {
        true => Ok(()),
        false => Err(Said::Precondition),
    }
}

fn read(object: &Map<String, Value>, shown: &Value) -> Result<Becomes, Said> {
    let mut fields = Fields::of(object, "");
    let read = Member::read(&mut fields, shown);
    fields.finish(read).map(Becomes::This).map_err(Said::Invalid)
}

async fn change(
    door: &Door,
    token: &Token,
    account: &DoorKey,
    key: DoorKey,
    query: Option<&str>,
    parameters: &[&str],
    becomes: impl FnOnce(Option<Value>) -> Result<Becomes, Said> + Send,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(query, &[&["dry_run"][..], parameters].concat());
    let dry_run = parameters.dry_run();
    let _ = parameters.truth("owner");
    parameters.finish()?;
    let (latchkey, name) = (&door.latchkey, name(key)?);
    let becomes = |facts: &ProvidersMemberFacts| {
        becomes(facts.kept.as_ref().map(|kept| value(kept, &facts.things)))
    };
    let done =
        members_by_provider::change(latchkey, token, account, &name, !dry_run, becomes).await?;
    let done = done.map_err(refused)?;
    let ProvidersMemberDone { before, after, invited_before, invited, things } = &done;
    let member = |kept: &Option<KeptMember>| kept.as_ref().map(|kept| value(kept, things));
    let (before, after) = (member(before), member(after));
    // Whoever isn't in the account before and after is invited.
    let is_offer = before.is_none() && after.is_none();
    let (before, after) = match is_offer {
        false => (before, after),
        true => {
            let offer = |one: &Option<members_by_provider::Invitation>| {
                let shown = one.as_ref().map(|one| Invitation::show(one, None, things));
                shown.and_then(|shown| serde_json::to_value(shown).ok())
            };
            (offer(invited_before), offer(invited))
        }
    };
    if dry_run {
        let outcome = match (&before, &after) {
            (None, _) => Outcome::Created,
            (Some(_), None) => Outcome::Deleted,
            (Some(before), Some(after)) if before == after => Outcome::Unchanged,
            (Some(_), Some(_)) => Outcome::Changed,
        };
        return Ok(Json(DryRun::of(outcome, before, after)).into_response());
    }
    match (is_offer, after) {
        (true, offered) => Ok((StatusCode::ACCEPTED, Json(offered)).into_response()),
        (false, Some(after)) => Ok(answer(after)),
        (false, None) => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// What a change that came to nothing is told.
fn refused(refused: Refused<Said>) -> Problem {
    let at = |pointer: String, code, detail: &str| {
        Problem::invalid(vec![Fault::at(pointer, code, detail.to_owned())])
    };
    let of_address = |code, detail: &str| Problem::invalid(vec![Fault::of("member", code, detail)]);
    match refused {
        Refused::Said(Said::Invalid(faults)) => Problem::invalid(faults),
        Refused::Said(Said::Precondition) => Kind::Precondition.into(),
        Refused::Said(Said::NotFound) | Refused::NotFound => Kind::NotFound.into(),
        Refused::NotInAccount => at(
            "/invite".to_owned(),
            "missing",
            "Whoever has this address isn't in the account: `now` invites them.",
        ),
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
        Refused::OneGrant => {
            at("/grants".to_owned(), "too_many", "An invitation offers one grant.")
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
        let _ = Member::read(&mut member, &Value::Null);
        let mut grant = Fields::of(&object, "");
        let _ = MemberGrant::read(&mut grant, &[]);
        [member.known().to_vec(), grant.known().to_vec()]
    }

    #[test]
    fn a_state_is_told_from_another() {
        let (one, other) = (json!({ "a": 1 }), json!({ "a": 2 }));
        assert_eq!(etag(&one), etag(&one.clone()));
        assert_ne!(etag(&one), etag(&other));
        assert!(etag(&one).starts_with('"') && etag(&one).ends_with('"'));
    }
}
