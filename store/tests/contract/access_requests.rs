use model::{
    Access, AccessRequestState, ActivityKind, Conflict, Failure, Limited, Permission,
    PermissionSet, Reach, Terms, UserId,
};
use store::{
    AccessRequest, AccessRequestAnswer, AccessRequestFacts, AskFacts, Bound, ChangeFacts, Holding,
    MembershipChange, NewAccessRequest, NewPause, PauseChange,
};
use test_database::{TestDatabase, apply, on_both};
use uuid::Uuid;

use crate::areas::{domain, service};
use crate::story::{Bakery, DAY, account, at, at_once, change, email, entry, grant, granted, mail};

use AccessRequestState::{Declined, Given, Open, Withdrawn};
use Permission::{
    AccountUsers, BillingPay, BillingView, DomainsView, ServicesManage, ServicesView,
};

fn request() -> NewAccessRequest {
    NewAccessRequest {
        until: Some(at(900)),
        why: "Invoices".to_owned(),
        told: vec!["Ingrid Berg".to_owned(), "Amira".to_owned()],
        entry: entry(ActivityKind::AccessRequested),
        mails: vec![mail("ingrid@example.com")],
        bounds: Vec::new(),
    }
}

/// Asks for a permission in the bakery, unless that waits for an answer.
async fn ask(
    bakery: &Bakery,
    user: UserId,
    permission: Permission,
    thing: Option<Uuid>,
    seconds: u64,
) -> Result<(), Failure> {
    let decide = |facts: &AskFacts| match facts.waits {
        true => Err(Failure::Conflict(Conflict::AskedAlready)),
        false => Ok(request()),
    };
    bakery.store.ask_for_access(bakery.id, user, permission, thing, at(seconds), decide).await
}

/// Has somebody's newest request answered by Ingrid.
async fn answer(bakery: &Bakery, user: UserId, state: AccessRequestState, seconds: u64) {
    let decide = |_: &AccessRequestFacts| {
        let words = "Not now".to_owned();
        Ok(AccessRequestAnswer { state, words, entry: None, mail: None })
    };
    let (store, id) = (&bakery.store, of(bakery, user).await[0].id);
    store.answer_access_request(bakery.id, bakery.ingrid, id, at(seconds), decide).await.unwrap();
}

async fn of(bakery: &Bakery, user: UserId) -> Vec<AccessRequest> {
    bakery.store.access_requests_of(bakery.id, user, 50).await.unwrap()
}

async fn open(bakery: &Bakery) -> Vec<Permission> {
    let found = bakery.store.open_access_requests(bakery.id, 50, at(0)).await.unwrap();
    found.into_iter().map(|request| request.permission).collect()
}

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

/// These permissions on this service.
fn on(permissions: &[Permission], service: Uuid) -> Terms {
    let services = Reach::of(false, [service]);
    Terms { services, domains: Reach::NOTHING, ..Terms::whole(set(permissions)) }
}

/// Ingrid has somebody hold grants with these terms and no others.
async fn hold<const N: usize>(bakery: &Bakery, user: UserId, terms: [Terms; N], seconds: u64) {
    let holding = Some(Holding::Granted(terms.map(grant).to_vec()));
    let change = MembershipChange { holding, ..change(None) };
    let decide = |_: &ChangeFacts| Ok(Some(change));
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    bakery.store.change_membership(id, ingrid, user, at(seconds), decide).await.unwrap();
}

#[apply(on_both!)]
async fn a_request_comes_back_as_it_was_made_and_answered(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[ServicesView])).await;
    let shop = service("Webshop");
    db.store.add_service(bakery.id, &shop).await.unwrap();
    ask(&bakery, bjorn, ServicesManage, Some(shop.id), 5).await.unwrap();
    let found = of(&bakery, bjorn).await.remove(0);
    assert_eq!((found.user, found.person.full_name.as_str()), (bjorn, "Bjørn"));
    assert_eq!(found.person.email, email("bjorn@example.com"));
    assert_eq!(found.permission, ServicesManage);
    let thing = found.thing.clone().unwrap();
    assert_eq!((thing.id, thing.name.as_str()), (shop.id, "Webshop"));
    assert_eq!((found.until, found.why.as_str()), (Some(at(900)), "Invoices"));
    assert_eq!((found.state, found.asked_at, found.answered_at), (Open, at(5), None));
    assert_eq!(found.told, ["Ingrid Berg", "Amira"]);
    assert_eq!(found.terms(), Terms { until: Some(at(900)), ..on(&[ServicesManage], shop.id) });
    answer(&bakery, bjorn, Declined, 7).await;
    let one = db.store.access_request(bakery.id, found.id).await.unwrap().unwrap();
    assert_eq!((one.state, one.words.as_str()), (Declined, "Not now"));
    assert_eq!((one.answered_at, one.answered_by.as_deref()), (Some(at(7)), Some("Ingrid Berg")));
    assert!(open(&bakery).await.is_empty());
    let decide = |_: &AccessRequestFacts| {
        Ok(AccessRequestAnswer { state: Withdrawn, words: String::new(), entry: None, mail: None })
    };
    let again = db.store.answer_access_request(bakery.id, bjorn, found.id, at(8), decide).await;
    assert_eq!(again.unwrap_err(), Failure::Conflict(Conflict::RequestOver));
}

#[apply(on_both!)]
async fn a_request_is_decided_on_what_holds_at_that_moment(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[BillingView])).await;
    let amira = granted(&[AccountUsers, BillingPay]);
    let amira = bakery.with("Amira", "amira@example.com", amira).await;
    let mei = bakery.with("Mei", "mei@example.com", granted(&[AccountUsers])).await;
    let until = Terms { until: Some(at(10)), ..Terms::whole(set(&[AccountUsers])) };
    bakery.with("Tom", "tom@example.com", std::iter::once(until).collect()).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let pause = PauseChange {
        pause: Some(NewPause { by: bakery.ingrid, why: String::new() }),
        entry: entry(ActivityKind::AccessPaused),
        mail: mail("mei@example.com"),
    };
    let decide = |_: &ChangeFacts| Ok(Some(pause));
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_pause(id, ingrid, mei, at(1), decide).await.unwrap();
    let (other, _) = account(&db.store, "Agency").await;
    let elsewhere = service("Elsewhere");
    db.store.add_service(other, &elsewhere).await.unwrap();
    let decide = |facts: &AskFacts| {
        let names: Vec<_> =
            facts.givers.iter().map(|giver| giver.person.full_name.as_str()).collect();
        assert_eq!(names, ["Ingrid Berg", "Olav", "Amira"], "owners first");
        let pay = Terms::one(BillingPay, None, None);
        assert!(facts.givers.iter().all(|giver| giver.access.lacks(&pay).is_none()));
        assert_eq!(facts.givers[2].access, granted(&[AccountUsers, BillingPay]));
        assert_eq!((facts.by.actor.user, facts.by.name.as_str()), (bjorn, "Bjørn"));
        assert_eq!((&facts.email, facts.number), (&email("bjorn@example.com"), bakery.number));
        assert_eq!((facts.paused, facts.waits), (false, false));
        assert!(facts.thing.is_none(), "another account's");
        Err(Failure::NotFound)
    };
    let thing = Some(elsewhere.id);
    let asked = db.store.ask_for_access(id, bjorn, ServicesView, thing, at(11), decide).await;
    assert_eq!(asked.unwrap_err(), Failure::NotFound);
    for user in [amira, olav] {
        assert!(of(&bakery, user).await.is_empty());
    }
    let decide = |facts: &AskFacts| {
        assert!(facts.paused);
        Err(Failure::NotFound)
    };
    let asked = db.store.ask_for_access(id, mei, ServicesView, None, at(11), decide).await;
    assert_eq!(asked.unwrap_err(), Failure::NotFound);
    assert!(open(&bakery).await.is_empty());
}

#[apply(on_both!)]
async fn fifty_requests_at_once_for_the_same_make_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[BillingView])).await;
    let answers = at_once(50, |_| {
        let (store, id) = (bakery.store.clone(), bakery.id);
        async move {
            let decide = |facts: &AskFacts| match facts.waits {
                true => Err(Failure::Conflict(Conflict::AskedAlready)),
                false => Ok(request()),
            };
            store.ask_for_access(id, bjorn, BillingPay, None, at(5), decide).await
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(open(&bakery).await, [BillingPay]);
}

#[apply(on_both!)]
async fn what_goes_beyond_a_bound_leaves_nothing_behind(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[BillingView])).await;
    let bound =
        || Bound { key: "requests".to_owned(), most: 1, window: DAY, of: Limited::AccessRequests };
    let ask = async |permission| {
        let decide = |_: &AskFacts| Ok(NewAccessRequest { bounds: vec![bound()], ..request() });
        db.store.ask_for_access(bakery.id, bjorn, permission, None, at(5), decide).await
    };
    ask(BillingPay).await.unwrap();
    let Err(Failure::TooMany(limit)) = ask(DomainsView).await else { panic!("not refused") };
    assert_eq!(limit.of, Limited::AccessRequests);
    assert_eq!(open(&bakery).await, [BillingPay]);
}

#[apply(on_both!)]
async fn what_somebody_is_given_is_no_open_request_of_theirs_any_more(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let [bjorn, mei] = [("Bjørn", "bjorn@example.com"), ("Mei", "mei@example.com")]
        .map(|(name, address)| bakery.with(name, address, granted(&[BillingView])));
    let (bjorn, mei) = (bjorn.await, mei.await);
    let (shop, other) = (service("Webshop"), service("Mail"));
    for service in [&shop, &other] {
        db.store.add_service(bakery.id, service).await.unwrap();
    }
    for user in [bjorn, mei] {
        ask(&bakery, user, ServicesManage, Some(shop.id), 5).await.unwrap();
        ask(&bakery, user, ServicesView, None, 5).await.unwrap();
        ask(&bakery, user, DomainsView, None, 5).await.unwrap();
    }
    // On another service, and over already.
    let over = Terms { until: Some(at(6)), ..Terms::whole(set(&[DomainsView])) };
    hold(&bakery, bjorn, [on(&[ServicesManage], other.id), over], 7).await;
    let states: Vec<_> = of(&bakery, bjorn).await.iter().map(|request| request.state).collect();
    assert_eq!(states, [Open, Given, Open]);
    hold(&bakery, bjorn, [on(&[ServicesManage], shop.id)], 8).await;
    let found = of(&bakery, bjorn).await;
    let states: Vec<_> = found.iter().map(|request| request.state).collect();
    assert_eq!(states, [Open, Given, Given]);
    assert_eq!(found[1].answered_at, Some(at(7)));
    assert_eq!(found[2].answered_by.as_deref(), Some("Ingrid Berg"));
    assert!(of(&bakery, mei).await.iter().all(|request| request.state == Open), "only theirs");
    let owner = change(Some(Access::Owner));
    let decide = |_: &ChangeFacts| Ok(Some(owner));
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_membership(id, ingrid, mei, at(9), decide).await.unwrap();
    assert!(of(&bakery, mei).await.iter().all(|request| request.state == Given));
}

#[apply(on_both!)]
async fn a_request_goes_with_whoever_made_it_and_with_the_thing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[ServicesView])).await;
    let (shop, name) = (service("Webshop"), domain("a.example", false));
    db.store.add_service(bakery.id, &shop).await.unwrap();
    db.store.add_domain(bakery.id, &name).await.unwrap();
    let (agency, _) = account(&db.store, "Agency").await;
    ask(&bakery, bjorn, ServicesManage, Some(shop.id), 5).await.unwrap();
    ask(&bakery, bjorn, DomainsView, Some(name.id), 6).await.unwrap();
    ask(&bakery, bjorn, BillingPay, None, 7).await.unwrap();
    db.run(
        "UPDATE services SET account_id = (SELECT id FROM accounts WHERE name = 'Agency'); \
         DELETE FROM domains;",
    )
    .await;
    assert_eq!(open(&bakery).await, [BillingPay]);
    assert!(db.store.open_access_requests(agency, 9, at(0)).await.unwrap().is_empty());
    let decide = |_: &ChangeFacts| Ok(Some(change(None)));
    db.store.change_membership(bakery.id, bakery.ingrid, bjorn, at(8), decide).await.unwrap();
    assert!(of(&bakery, bjorn).await.is_empty());
}

#[apply(on_both!)]
async fn another_accounts_request_is_not_there(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[BillingView])).await;
    ask(&bakery, bjorn, BillingPay, None, 5).await.unwrap();
    let id = of(&bakery, bjorn).await[0].id;
    let (agency, _) = account(&db.store, "Agency").await;
    db.store.add_member(agency, bakery.ingrid, Access::Owner, at(0)).await.unwrap();
    assert!(db.store.access_request(agency, id).await.unwrap().is_none());
    let decide = |_: &AccessRequestFacts| {
        Ok(AccessRequestAnswer { state: Declined, words: String::new(), entry: None, mail: None })
    };
    let answered = db.store.answer_access_request(agency, bakery.ingrid, id, at(6), decide).await;
    assert_eq!(answered.unwrap_err(), Failure::NotFound);
    assert_eq!(open(&bakery).await, [BillingPay]);
}

#[apply(on_both!)]
async fn a_request_whose_day_is_over_is_none_any_more(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[BillingView])).await;
    ask(&bakery, bjorn, BillingPay, None, 0).await.unwrap();
    let open = async |seconds| {
        db.store.open_access_requests(bakery.id, 9, at(seconds)).await.unwrap().len()
    };
    assert_eq!((open(899).await, open(900).await), (1, 0));
    assert!(ask(&bakery, bjorn, BillingPay, None, 899).await.is_err());
    ask(&bakery, bjorn, BillingPay, None, 900).await.unwrap();
    assert_eq!(of(&bakery, bjorn).await.len(), 1);
    db.store.sweep(DAY, DAY, at(900)).await.unwrap();
    assert!(of(&bakery, bjorn).await.is_empty());
}

#[apply(on_both!)]
async fn an_answered_request_is_forgotten_after_ninety_days(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[BillingView])).await;
    ask(&bakery, bjorn, BillingPay, None, 0).await.unwrap();
    answer(&bakery, bjorn, Declined, 10).await;
    let endless = |_: &AskFacts| Ok(NewAccessRequest { until: None, ..request() });
    let ask_for = db.store.ask_for_access(bakery.id, bjorn, DomainsView, None, at(11), endless);
    ask_for.await.unwrap();
    let days = 90 * DAY.as_secs();
    db.store.sweep(DAY, DAY, at(days + 10)).await.unwrap();
    assert_eq!(of(&bakery, bjorn).await.len(), 2);
    db.store.sweep(DAY, DAY, at(days + 11)).await.unwrap();
    let left: Vec<_> = of(&bakery, bjorn).await.iter().map(|left| left.permission).collect();
    assert_eq!(left, [DomainsView], "what is open stays");
}
