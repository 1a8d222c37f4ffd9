//! Questions as they are written down in JSON: AuthZEN Authorization API 1.0, sections 5 to 8.

use domain::decisions::{Named, Question};
use model::Timestamp;

use super::json::{Json, Object, Place, Wrong, needed, object, text};

/// How many questions can be asked at once.
pub(super) const MOST_QUESTIONS: usize = 200;
/// How many results a page has, unless fewer are asked for.
const USUAL_RESULTS: usize = 50;
/// How many it has at most.
const MOST_RESULTS: usize = 200;

/// In which cases the questions behind one aren't asked any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Semantic {
    /// In none.
    ExecuteAll,
    /// Behind the first no.
    DenyOnFirstDeny,
    /// Behind the first yes.
    PermitOnFirstPermit,
}

impl Semantic {
    /// Whether a decision is the last one.
    pub(super) const fn ends_with(self, permits: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !permits,
            Self::PermitOnFirstPermit => permits,
        }
    }
}

/// Several questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Questions {
    pub(super) questions: Vec<Question>,
    pub(super) semantic: Semantic,
}

/// One question or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    One(Question),
    Several(Questions),
}

/// What is searched for: of which entity the id isn't given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    Subject,
    Resource,
    Action,
}

impl Sought {
    /// What tells one search's pages from another's.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Resource => "resource",
            Self::Action => "action",
        }
    }
}

/// A page of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) question: Question,
    /// What the page before it answered; none for the first.
    pub(super) token: Option<String>,
    /// How many results; none for what it was before, or is usually.
    pub(super) limit: Option<usize>,
}

impl Search {
    /// How many results the page has, where the one before it doesn't say.
    pub(super) fn usual_limit(&self) -> usize {
        self.limit.unwrap_or(USUAL_RESULTS)
    }
}

/// One question.
pub(super) fn question(members: &Object) -> Result<Question, Wrong> {
    question_at(members, None, &Place::WHOLE)
}

/// Several questions; one, if there is no list of them, or an empty one.
pub(super) fn questions(members: &Object) -> Result<Asked, Wrong> {
    let place = &Place::WHOLE.of("evaluations");
    let rows = match members.get("evaluations") {
        None | Some(Json::Null) => return question(members).map(Asked::One),
        Some(Json::List(rows)) if rows.is_empty() => return question(members).map(Asked::One),
        Some(Json::List(rows)) => rows,
        Some(_) => return Err(place.is("must be an array")),
    };
    if rows.len() > MOST_QUESTIONS {
        return Err(place.is(&format!("must hold at most {MOST_QUESTIONS} questions")));
    }
    let mut questions = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        let number = number.to_string();
        let place = place.of(&number);
        let Json::Object(own) = row else { return Err(place.is("must be an object")) };
        questions.push(question_at(own, Some(members), &place)?);
    }
    Ok(Asked::Several(Questions { questions, semantic: semantic(members)? }))
}

/// A page of a search.
pub(super) fn search(members: &Object, sought: Sought) -> Result<Search, Wrong> {
    let whole = &Place::WHOLE;
    let named = |name, without_id| {
        let members = needed(object(members, name, whole)?, name, whole)?;
        named(members, without_id, &whole.of(name))
    };
    let subject = named("subject", sought == Sought::Subject)?;
    let resource = named("resource", sought == Sought::Resource)?;
    let action = match sought {
        Sought::Action => String::new(),
        Sought::Subject | Sought::Resource => action(members, None, whole)?,
    };
    let question = Question { subject, action, resource, time: time(members, None, whole)? };
    let place = &whole.of("page");
    let nothing = Object::new();
    let page = object(members, "page", whole)?.unwrap_or(&nothing);
    object(page, "properties", place)?;
    let token = text(page, "token", place)?.filter(|token| !token.is_empty()).map(str::to_owned);
    let limit = match page.get("limit") {
        None | Some(Json::Null) => None,
        Some(Json::Count(limit @ 1..)) => {
            Some(usize::try_from(*limit).unwrap_or(MOST_RESULTS).min(MOST_RESULTS))
        }
        Some(_) => return Err(place.of("limit").is("must be a whole number from 1 on")),
    };
    Ok(Search { question, token, limit })
}

/// A question with the parts that it names itself, and else those of all.
fn question_at(
    members: &Object,
    defaults: Option<&Object>,
    place: &Place<'_>,
) -> Result<Question, Wrong> {
    let named = |name| {
        let (members, place) = of_either(members, defaults, name, place)?;
        named(members, false, &place.of(name))
    };
    Ok(Question {
        subject: named("subject")?,
        action: action(members, defaults, place)?,
        resource: named("resource")?,
        time: time(members, defaults, place)?,
    })
}

/// A part that must be there, and where it is.
fn of_either<'a>(
    members: &'a Object,
    defaults: Option<&'a Object>,
    name: &str,
    place: &'a Place<'a>,
) -> Result<(&'a Object, &'a Place<'a>), Wrong> {
    let own = object(members, name, place)?.map(|own| (own, place));
    let of_all = match defaults {
        Some(defaults) => object(defaults, name, &Place::WHOLE)?.map(|own| (own, &Place::WHOLE)),
        None => None,
    };
    needed(own.or(of_all), name, place)
}

/// A subject or a resource.
fn named(members: &Object, without_id: bool, place: &Place<'_>) -> Result<Named, Wrong> {
    object(members, "properties", place)?;
    let kind = needed(text(members, "type", place)?, "type", place)?.to_owned();
    let id = match without_id {
        // One that is there is ignored.
        true => String::new(),
        false => needed(text(members, "id", place)?, "id", place)?.to_owned(),
    };
    Ok(Named { kind, id })
}

fn action(members: &Object, defaults: Option<&Object>, place: &Place<'_>) -> Result<String, Wrong> {
    let (members, place) = of_either(members, defaults, "action", place)?;
    let place = &place.of("action");
    object(members, "properties", place)?;
    Ok(needed(text(members, "name", place)?, "name", place)?.to_owned())
}

/// The moment that the context names, if it does.
fn time(
    members: &Object,
    defaults: Option<&Object>,
    place: &Place<'_>,
) -> Result<Option<Timestamp>, Wrong> {
    let own = object(members, "context", place)?;
    let of_all = match defaults {
        Some(defaults) => object(defaults, "context", &Place::WHOLE)?,
        None => None,
    };
    let Some(context) = own.or(of_all) else { return Ok(None) };
    let place = &place.of("context");
    let Some(time) = text(context, "time", place)? else { return Ok(None) };
    let wrong = || place.of("time").is("must be a moment such as 2027-01-30T18:00:00+01:00");
    moment(time).ok_or_else(wrong).map(Some)
}

/// A moment with its distance from UTC (RFC 3339); seconds may be missing, as they do in AuthZEN's own
/// examples.
fn moment(text: &str) -> Option<Timestamp> {
    // What names a time zone besides may contradict itself.
    let is_plain = text.len() <= 40 && !text.contains('[');
    let moment: jiff::Timestamp = text.parse().ok().filter(|_| is_plain)?;
    Some(Timestamp::from_micros(moment.as_microsecond()))
}

fn semantic(members: &Object) -> Result<Semantic, Wrong> {
    let place = &Place::WHOLE.of("options");
    let Some(options) = object(members, "options", &Place::WHOLE)? else {
        return Ok(Semantic::ExecuteAll);
    };
    match text(options, "evaluations_semantic", place)? {
        None | Some("execute_all") => Ok(Semantic::ExecuteAll),
        Some("deny_on_first_deny") => Ok(Semantic::DenyOnFirstDeny),
        Some("permit_on_first_permit") => Ok(Semantic::PermitOnFirstPermit),
        Some(_) => {
            let known = "must be execute_all, deny_on_first_deny or permit_on_first_permit";
            Err(place.of("evaluations_semantic").is(known))
        }
    }
}
