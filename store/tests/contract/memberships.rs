use model::{Access, ActivityKind, Conflict, Failure, Keys, ListPlace, Permission};
use store::{
    AccessFilter, ActiveFilter, ActivityFilter, ChangeFacts, MembershipChange, UserSort,
    UsersFilter, UsersQuery,
};
use test_database::{TestDatabase, apply, on_both};

use crate::emails::with_app;
use crate::story::{Bakery, HOUR, account, at, at_once, change, email, granted, mail, user};
use crate::successors::pause;

/// All pages of the account's users, a few at a time, by full name.
async fn paged(bakery: &Bakery, sort: UserSort, search: Option<&str>) -> Vec<String> {
    let search = search.map(str::to_owned);
    let mut query = UsersQuery { search, sort, ..UsersQuery::default() };
    let mut names = Vec::new();
    loop {
        let page = bakery.store.users(bakery.id, &query, 7).await.unwrap();
        let Some(last) = page.last() else { return names };
        query.place = ListPlace::After(last.cursor(sort));
        names.extend(page.iter().map(|member| member.full_name.clone()));
    }
}

async fn found(bakery: &Bakery, search: &str) -> Vec<String> {
    let by_name = paged(bakery, UserSort::Name, Some(search)).await;
    let mut by_activity = paged(bakery, UserSort::LastActive, Some(search)).await;
    by_activity.sort();
    let mut sorted = by_name.clone();
    sorted.sort();
    assert_eq!(sorted, by_activity, "both sorts find the same");
    by_name
}

/// What the product decides: nobody takes the last owner's access.
fn keep_an_owner(facts: &ChangeFacts) -> Result<Option<MembershipChange>, Failure> {
    match facts.other_owners {
        0 => Err(Failure::Conflict(Conflict::LastOwner)),
        _ => Ok(Some(change(None))),
    }
}

/// So many users of the bakery who all have the words "crowd" and "member". Written at a stroke: one
/// by one they would take a minute.
async fn crowd(db: &TestDatabase, many: u32) {
    let sqlite = db.url.starts_with("sqlite:");
    let id = if sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
    let users = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) \
         INSERT INTO users (id, email, email_key, full_name, password_hash, created_at) \
         SELECT {id}, i || '@crowd.example', i || '@crowd.example', 'Crowd ' || i, '', 0 FROM n"
    );
    let memberships = "INSERT INTO memberships \
             (account_id, user_id, owner, since, name_key) \
         SELECT a.id, u.id, FALSE, 0, lower(u.full_name) FROM accounts a, users u \
         WHERE a.name = 'Bakery' AND u.email LIKE '%@crowd.example'";
    let words = "INSERT INTO membership_words (account_id, word, user_id) \
         SELECT m.account_id, w.word, m.user_id FROM memberships m \
             JOIN (SELECT 'crowd' AS word UNION SELECT 'member') w ON m.name_key LIKE 'crowd %'";
    run(db, [users.as_str(), memberships, words].join("; ")).await;
}

async fn run(db: &TestDatabase, statements: String) {
    let statements = sqlx::AssertSqlSafe(statements);
    if db.url.starts_with("sqlite:") {
        let pool = sqlx::SqlitePool::connect(&db.url).await.unwrap();
        sqlx::raw_sql(statements).execute(&pool).await.unwrap();
    } else {
        let pool = sqlx::PgPool::connect(&db.url).await.unwrap();
        sqlx::raw_sql(statements).execute(&pool).await.unwrap();
    }
}

async fn sixty_users(db: &TestDatabase) -> Bakery {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..59 {
        // Every name three times: equal names are settled by the id.
        let name = format!("Person {}", number / 3);
        let user = bakery.with(&name, &format!("p{number}@example.com"), granted(&[])).await;
        if number % 2 == 0 {
            let seconds = 100 + number / 4;
            bakery.visit(user, seconds).await;
        }
    }
    bakery
}

#[apply(on_both!)]
async fn a_membership_says_what_the_user_may_do(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[Permission::BillingPay])).await;
    let found = db.store.membership(bjorn, bakery.number, None, at(0)).await.unwrap().unwrap();
    assert_eq!((found.account, found.number), (bakery.id, bakery.number));
    assert_eq!(found.name, "Bakery");
    assert_eq!(found.keys.open(), granted(&[Permission::BillingPay]).permissions());
    assert!(!found.keys.is_owner());
    assert_eq!(found.others, Some(Vec::new()));
    let ingrid = db.store.membership(bakery.ingrid, bakery.number, None, at(0)).await.unwrap();
    assert_eq!(ingrid.unwrap().keys, Keys::Owner);
}

#[apply(on_both!)]
async fn no_account_and_no_membership_look_alike(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (_, elsewhere) = account(&db.store, "Agency").await;
    let nowhere = model::AccountNumber::from_stored(999_999);
    for number in [elsewhere, nowhere] {
        assert!(db.store.membership(bakery.ingrid, number, None, at(0)).await.unwrap().is_none());
    }
}

#[apply(on_both!)]
async fn being_active_is_noted_at_most_once_a_minute(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let last = async |seconds| bakery.visit(bakery.ingrid, seconds).await.last_active_at;
    assert_eq!(last(0).await, None);
    assert_eq!(last(59).await, Some(at(0)));
    assert_eq!(last(60).await, Some(at(0)), "the note at 59 seconds was left out");
    assert_eq!(last(61).await, Some(at(60)));
    let member = db.store.member(bakery.id, bakery.ingrid).await.unwrap().unwrap();
    assert_eq!(member.last_active_at, Some(at(60)));
}

#[apply(on_both!)]
async fn a_user_reaches_their_accounts_by_name_and_sees_that_there_are_others(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for name in ["apothecary", "Zoo"] {
        let (id, _) = account(&db.store, name).await;
        let access = granted(&[Permission::DomainsView]);
        db.store.add_member(id, bakery.ingrid, access, at(0)).await.unwrap();
    }
    let reached = db.store.memberships(bakery.ingrid, None, 9, at(0)).await.unwrap();
    let names: Vec<_> = reached.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["apothecary", "Bakery", "Zoo"]);
    assert!(reached[1].held.is_owner());
    assert_eq!(reached[2].held.outline(), granted(&[Permission::DomainsView]).outline());
    let found = db.store.membership(bakery.ingrid, bakery.number, None, at(0)).await.unwrap();
    let others = found.unwrap().others.unwrap();
    assert_eq!(others.iter().map(|(_, name)| &**name).collect::<Vec<_>>(), ["apothecary", "Zoo"]);
    assert!(db.store.has_several_accounts(bakery.ingrid).await.unwrap());
}

#[apply(on_both!)]
async fn the_accounts_of_a_user_come_in_pages_also_with_equal_names(db: TestDatabase) {
    let mei = user(&db.store, "Mei", "mei@example.com").await;
    assert!(!db.store.has_several_accounts(mei).await.unwrap());
    for name in ["École", "bakery", "Zoo", "Bakery", "bakery"] {
        let (id, _) = account(&db.store, name).await;
        db.store.add_member(id, mei, granted(&[]), at(0)).await.unwrap();
    }
    let (mut after, mut names) = (None, Vec::new());
    loop {
        let page = db.store.memberships(mei, after.as_ref(), 2, at(0)).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        names.extend(page.into_iter().map(|row| row.name.to_lowercase()));
    }
    assert_eq!(names, ["bakery", "bakery", "bakery", "zoo", "école"]);
}

#[apply(on_both!)]
async fn the_accounts_of_a_user_are_found_by_name_and_number(db: TestDatabase) {
    let mei = user(&db.store, "Mei", "mei@example.com").await;
    let mut numbers = Vec::new();
    for name in ["Ås Bakeri", "Bø & Sønn", "Ås Bakst"] {
        let (id, number) = account(&db.store, name).await;
        db.store.add_member(id, mei, granted(&[]), at(0)).await.unwrap();
        numbers.push(number);
    }
    account(&db.store, "Ås Bank").await;
    let found = async |search: &str, after: Option<&model::Cursor>, most| {
        db.store.memberships_found(mei, search, after, most, at(0)).await.unwrap()
    };
    let names =
        |rows: &[store::MembershipRow]| rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found(" AS bak", None, 9).await), ["Ås Bakeri", "Ås Bakst"]);
    let first = found("bak", None, 1).await;
    assert_eq!(names(&first), ["Ås Bakeri"]);
    assert_eq!(names(&found("bak", Some(&first[0].cursor()), 9).await), ["Ås Bakst"]);
    assert_eq!(names(&found(&numbers[1].to_string(), None, 9).await), ["Bø & Sønn"]);
    assert!(found("%", None, 9).await.is_empty());
    assert_eq!(found("", None, 9).await.len(), 3);
    let membership = db.store.membership(mei, numbers[1], None, at(0)).await.unwrap().unwrap();
    let others = membership.others.unwrap();
    let others: Vec<_> = others.iter().map(|(_, name)| &**name).collect();
    assert_eq!(others, ["Ås Bakeri", "Ås Bakst"]);
    for n in 3..100 {
        let (id, _) = account(&db.store, &format!("Another {n}")).await;
        let access = granted(&[Permission::DomainsView]);
        db.store.add_member(id, mei, access, at(0)).await.unwrap();
    }
    let others = async || {
        let membership = db.store.membership(mei, numbers[1], None, at(0)).await.unwrap();
        membership.unwrap().others
    };
    assert_eq!(others().await.unwrap().len(), 10);
    let (id, _) = account(&db.store, "One more").await;
    db.store.add_member(id, mei, granted(&[Permission::DomainsView]), at(0)).await.unwrap();
    assert_eq!(others().await, None);
}

#[apply(on_both!)]
async fn the_account_that_a_user_was_in_last_is_known(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    assert_eq!(db.store.last_entered(bakery.ingrid).await.unwrap(), None);
    let (other, _) = account(&db.store, "Agency").await;
    db.store.add_member(other, bakery.ingrid, granted(&[]), at(0)).await.unwrap();
    bakery.visit(bakery.ingrid, 60).await;
    db.store.noted().await;
    assert_eq!(db.store.last_entered(bakery.ingrid).await.unwrap(), Some(bakery.number));
}

#[apply(on_both!)]
async fn a_member_is_shown_with_who_invited_them(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.invite("amira@example.com", 1).await;
    let amira = user(&db.store, "Amira Haddad", "amira@example.com").await;
    let accept = crate::story::accept(store::Joiner::Existing(amira), granted(&[]));
    db.store.answer_invitation(&[1; 32], at(7), |_| Ok(accept)).await.unwrap();

    let member = db.store.member(bakery.id, amira).await.unwrap().unwrap();
    assert_eq!(member.invited_by.as_deref(), Some("Ingrid Berg"));
    assert_eq!((member.since, member.last_active_at), (at(7), None));
    assert_eq!(member.full_name, "Amira Haddad");
    assert_eq!(member.held.outline(), granted(&[]).outline());
    let ingrid = db.store.member(bakery.id, bakery.ingrid).await.unwrap().unwrap();
    assert!(ingrid.invited_by.is_none() && ingrid.held.is_owner());
    let stranger = user(&db.store, "Tom", "tom@example.com").await;
    assert!(db.store.member(bakery.id, stranger).await.unwrap().is_none());
}

#[apply(on_both!)]
async fn owners_are_listed_by_name(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("anna", "anna@example.com", Access::Owner).await;
    bakery.with("Bjørn", "bjorn@example.com", granted(&[])).await;
    let owners = db.store.owners(bakery.id, 9).await.unwrap();
    let names: Vec<_> = owners.iter().map(|owner| owner.full_name.as_str()).collect();
    assert_eq!(names, ["anna", "Ingrid Berg"]);
    assert_eq!(owners[0].email, email("anna@example.com"));
    assert_eq!(db.store.owners(bakery.id, 1).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn pages_by_name_are_complete_also_with_equal_names(db: TestDatabase) {
    let bakery = sixty_users(&db).await;
    let names = paged(&bakery, UserSort::Name, None).await;
    assert_eq!(names.len(), 60);
    assert!(names.is_sorted_by_key(|name| name.to_lowercase()), "{names:?}");
    let found = paged(&bakery, UserSort::Name, Some("person")).await;
    assert_eq!(found.len(), 59);
}

#[apply(on_both!)]
async fn pages_by_activity_are_complete_and_end_with_those_who_never_were(db: TestDatabase) {
    let bakery = sixty_users(&db).await;
    let all = UsersQuery { sort: UserSort::LastActive, ..UsersQuery::default() };
    let whole = bakery.store.users(bakery.id, &all, 99).await.unwrap();
    let times: Vec<_> = whole.iter().map(|member| member.last_active_at).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    assert_eq!(times.iter().flatten().count(), 30);
    let names: Vec<_> = whole.into_iter().map(|member| member.full_name).collect();
    assert_eq!(paged(&bakery, UserSort::LastActive, None).await, names);
}

#[apply(on_both!)]
async fn a_page_stays_where_it_was_when_somebody_joins_before_it(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for name in ["B", "D"] {
        bakery.with(name, &format!("{name}@example.com"), granted(&[])).await;
    }
    let first = db.store.users(bakery.id, &UsersQuery::default(), 2).await.unwrap();
    bakery.with("A", "a@example.com", granted(&[])).await;
    let place = ListPlace::After(first.last().unwrap().cursor(UserSort::Name));
    let query = UsersQuery { place, ..UsersQuery::default() };
    let second = db.store.users(bakery.id, &query, 9).await.unwrap();
    let names: Vec<_> = second.iter().map(|member| member.full_name.as_str()).collect();
    assert_eq!(names, ["Ingrid Berg"]);
}

#[apply(on_both!)]
async fn a_list_goes_back_page_by_page_as_it_came(db: TestDatabase) {
    let bakery = sixty_users(&db).await;
    let ids = |page: &[store::Member]| page.iter().map(|member| member.user).collect::<Vec<_>>();
    for sort in [UserSort::Name, UserSort::LastActive] {
        let mut query = UsersQuery { sort, ..UsersQuery::default() };
        let mut pages: Vec<Vec<store::Member>> = Vec::new();
        loop {
            let page = bakery.store.users(bakery.id, &query, 7).await.unwrap();
            let Some(last) = page.last() else { break };
            query.place = ListPlace::After(last.cursor(sort));
            pages.push(page);
        }
        for (before, page) in pages.iter().zip(&pages[1..]) {
            query.place = ListPlace::Before(page[0].cursor(sort));
            let back = bakery.store.users(bakery.id, &query, 7).await.unwrap();
            assert_eq!(ids(&back), ids(before), "{sort:?}");
        }
        query.place = ListPlace::Before(pages[0][0].cursor(sort));
        assert!(bakery.store.users(bakery.id, &query, 7).await.unwrap().is_empty());
        query.place = ListPlace::Before(pages[1][3].cursor(sort));
        query.search = Some("person".to_owned());
        let found = bakery.store.users(bakery.id, &query, 3).await.unwrap();
        assert_eq!(ids(&found), ids(&pages[1][..3]), "{sort:?}");
    }
}

#[apply(on_both!)]
async fn a_filter_lists_whom_it_fits(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let pay = [Permission::BillingView, Permission::BillingPay];
    let amira = bakery.with("Amira", "amira@example.com", granted(&pay)).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&pay)).await;
    let until = Some(at(100));
    let terms = model::Terms { until, ..model::Terms::whole(pay.into_iter().collect()) };
    bakery.with("Mei", "mei@example.com", [terms].into_iter().collect()).await;
    bakery.with("Olav", "olav@example.com", granted(&[Permission::BillingView])).await;
    with_app(&db.store, amira, 1).await;
    bakery.visit(amira, 1_000).await;
    bakery.visit(bjorn, 2_000).await;
    pause(&bakery, bjorn, 3_000).await.unwrap();

    let access = |access| UsersFilter { access: Some(access), ..UsersFilter::default() };
    let factor = |has| UsersFilter { second_factor: Some(has), ..UsersFilter::default() };
    let active = |when| UsersFilter { last_active: Some(when), ..UsersFilter::default() };
    let paying = |seconds| access(AccessFilter::Having(Permission::BillingPay, at(seconds)));
    for (filter, expected) in [
        (UsersFilter::default(), "Amira, Bjørn, Ingrid Berg, Mei, Olav"),
        (access(AccessFilter::Owner), "Ingrid Berg"),
        (access(AccessFilter::Paused(at(50))), "Bjørn"),
        (access(AccessFilter::Paused(at(100))), "Bjørn, Mei"),
        (paying(50), "Amira, Ingrid Berg, Mei"),
        (paying(100), "Amira, Ingrid Berg"),
        (factor(true), "Amira"),
        (factor(false), "Bjørn, Ingrid Berg, Mei, Olav"),
        (active(ActiveFilter::Since(at(1_000))), "Amira, Bjørn"),
        (active(ActiveFilter::Since(at(1_001))), "Bjørn"),
        (active(ActiveFilter::NotSince(at(2_000))), "Amira, Ingrid Berg, Mei, Olav"),
        (active(ActiveFilter::Never), "Ingrid Berg, Mei, Olav"),
        (UsersFilter { second_factor: Some(false), ..paying(50) }, "Ingrid Berg, Mei"),
    ] {
        for search in [None, Some("example.com".to_owned())] {
            let query = UsersQuery { filter, search, ..UsersQuery::default() };
            let found = bakery.store.users(bakery.id, &query, 9).await.unwrap();
            let names: Vec<_> = found.iter().map(|member| member.full_name.as_str()).collect();
            assert_eq!(names.join(", "), expected, "{query:?}");
            let counted = bakery.store.count_users(bakery.id, &query, 9).await.unwrap();
            assert_eq!(counted as usize, found.len(), "{query:?}");
            assert_eq!(bakery.store.count_users(bakery.id, &query, 1).await.unwrap(), 1);
        }
    }
}

#[apply(on_both!)]
async fn a_cursor_that_was_tampered_with_breaks_nothing(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for sort in [UserSort::Name, UserSort::LastActive] {
        for key in ["", "\0", "not a number", "99999999999999999999"] {
            let cursor = model::Cursor { key: key.to_owned(), id: uuid::Uuid::nil() };
            for place in [ListPlace::After(cursor.clone()), ListPlace::Before(cursor)] {
                let query = UsersQuery { sort, place, ..UsersQuery::default() };
                assert!(db.store.users(bakery.id, &query, 9).await.is_ok(), "{sort:?} {key:?}");
            }
        }
    }
}

#[apply(on_both!)]
async fn a_search_finds_words_by_their_beginning_whatever_their_case(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("Bjørn Ødegård", "bo@ledger.example", granted(&[])).await;
    bakery.with("Jean-Luc O'Brien", "jlo@fjord.example", granted(&[])).await;
    let (bjorn, jean) = ("Bjørn Ødegård", "Jean-Luc O'Brien");
    for (search, expected) in [
        ("øDEG", vec![bjorn]),
        ("bjø led", vec![bjorn]),
        ("BO@LEDGER", vec![bjorn]),
        ("ødegård, bjørn", vec![bjorn]),
        ("<bo@ledger.example>", vec![bjorn]),
        ("luc", vec![jean]),
        ("jean-l", vec![jean]),
        ("o'br", vec![jean]),
        ("b", vec![bjorn, "Ingrid Berg", jean]),
        ("example", vec![bjorn, "Ingrid Berg", jean]),
        ("egård", vec![]),
        ("bjørn fjord", vec![]),
    ] {
        assert_eq!(found(&bakery, search).await, expected, "{search}");
    }
    assert_eq!(found(&bakery, "  ").await.len(), 3, "nothing asked for: everybody");
}

#[apply(on_both!)]
async fn a_search_finds_what_people_type_for_the_same(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for (place, name) in
        ["Bjørn Ødegård", "Jürgen Straße", "Åse Sæther", "Łukasz Đorđe"].into_iter().enumerate()
    {
        bakery.with(name, &format!("p{place}@ledger.example"), granted(&[])).await;
    }
    let (bjorn, jurgen, ase, lukasz) =
        ("Bjørn Ødegård", "Jürgen Straße", "Åse Sæther", "Łukasz Đorđe");
    for (search, expected) in [
        ("bjorn", bjorn),
        ("odeg", bjorn),
        ("BJOERN", bjorn),
        ("Odega\u{30a}rd", bjorn),
        ("ødegaard", bjorn),
        ("bj\u{200b}ørn\u{a0}ode", bjorn),
        ("jurgen", jurgen),
        ("Juergen", jurgen),
        ("Ju\u{308}rgen strasse", jurgen),
        ("STRASSE", jurgen),
        ("stras", jurgen),
        ("aase", ase),
        ("ase saether", ase),
        ("Ｐ２@ledger", ase),
        ("lukasz", lukasz),
        ("dorde", lukasz),
    ] {
        assert_eq!(found(&bakery, search).await, [expected], "{search}");
    }
    assert_eq!(found(&bakery, "bjarn").await, Vec::<String>::new());
}

#[apply(on_both!)]
async fn what_earlier_versions_wrote_is_found_after_migrating(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn Ødegård", "bo@ledger.example", granted(&[])).await;
    bakery.with("Kari", "kari@ledger.example", granted(&[])).await;
    bakery.with("Kari Too", "second@ledger.example", granted(&[])).await;
    crowd(&db, 230).await;
    run(
        &db,
        "UPDATE users SET folded = FALSE; DELETE FROM membership_words; \
         UPDATE users SET full_name = 'Bj\u{f8}rn\u{200b} \u{d8}deg\u{e5}rd', \
             email = '\u{200b}bo@ledger.example', email_key = '\u{200b}bo@ledger.example' \
             WHERE email_key = 'bo@ledger.example'; \
         UPDATE users SET email = '\u{feff}kari@ledger.example', \
             email_key = '\u{feff}kari@ledger.example' \
             WHERE email_key = 'second@ledger.example'"
            .to_owned(),
    )
    .await;
    assert!(found(&bakery, "bjorn").await.is_empty());

    db.store.migrate().await.unwrap();
    assert_eq!(found(&bakery, "bjorn odegaard").await, ["Bjørn Ødegård"]);
    assert_eq!(found(&bakery, "crowd").await.len(), 230);
    let login = db.store.login(&email("bo@ledger.example")).await.unwrap().unwrap();
    assert_eq!((login.id, login.email.as_str()), (bjorn, "bo@ledger.example"));
    let kari = db.store.login(&email("kari@ledger.example")).await.unwrap().unwrap();
    assert_eq!(kari.full_name, "Kari", "an address that somebody has stays theirs");
    assert_eq!(found(&bakery, "kari").await.len(), 2);
}

#[apply(on_both!)]
async fn two_nodes_renew_at_once(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    crowd(&db, 230).await;
    let other = store::Store::open(&db.url).await.unwrap();
    let (one, two) = tokio::join!(db.store.migrate(), other.migrate());
    one.unwrap();
    two.unwrap();
    assert_eq!(found(&bakery, "crowd").await.len(), 230);
}

#[apply(on_both!)]
async fn a_search_that_many_fit_pages_like_one_that_few_fit(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for number in 0..205 {
        let address = format!("p{number}@example.com");
        bakery.with(&format!("Person {number:03}"), &address, granted(&[])).await;
    }
    let many = found(&bakery, "pers").await;
    assert_eq!(many.len(), 205);
    assert!(many.is_sorted());
    assert_eq!(found(&bakery, "pers 007").await, ["Person 007"]);
    assert_eq!(found(&bakery, "person 00").await.len(), 10);
    assert!(found(&bakery, "person ingrid").await.is_empty());
}

#[apply(on_both!)]
async fn a_search_by_words_that_thousands_have_finds_who_has_all_of_them(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    crowd(&db, 2_100).await;
    bakery.with("Crowd Zebra", "zebra@example.com", granted(&[])).await;
    let query = |search: &str| UsersQuery { search: Some(search.into()), ..UsersQuery::default() };
    let first = bakery.store.users(bakery.id, &query("crowd"), 3).await.unwrap();
    let names: Vec<_> = first.iter().map(|member| member.full_name.as_str()).collect();
    assert_eq!(names, ["Crowd 1", "Crowd 10", "Crowd 100"]);
    assert_eq!(found(&bakery, "crowd member zebra").await, Vec::<String>::new());
    assert_eq!(found(&bakery, "crowd zebra").await, ["Crowd Zebra"]);
    let both = bakery.store.users(bakery.id, &query("crowd member"), 3).await.unwrap();
    assert_eq!(both.len(), 3);
}

#[apply(on_both!)]
async fn a_search_takes_percent_underline_and_other_scripts_at_their_word(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    bakery.with("% Discount", "percent@example.com", granted(&[])).await;
    bakery.with("_ Line", "under_line@example.com", granted(&[])).await;
    bakery.with("عبد الله", "abd@example.com", granted(&[])).await;
    bakery.with("🦊", "fox@example.com", granted(&[])).await;
    for (search, expected) in [
        ("%", vec!["% Discount"]),
        ("_", vec!["_ Line"]),
        ("in%", vec!["Ingrid Berg"]),
        ("under_", vec!["_ Line"]),
        ("الله", vec!["عبد الله"]),
        ("🦊", vec!["🦊"]),
        ("'", vec![]),
        ("\0", vec!["% Discount", "_ Line", "Ingrid Berg", "عبد الله", "🦊"]),
    ] {
        assert_eq!(found(&bakery, search).await, expected, "{search}");
    }
}

#[apply(on_both!)]
async fn a_change_is_written_with_its_log_row_and_mail(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let pay = granted(&[Permission::BillingPay]);
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[])).await;
    let decide = |facts: &ChangeFacts| {
        assert_eq!((facts.by.actor.user, facts.by.actor.account), (bakery.ingrid, bakery.id));
        assert_eq!((&facts.by.access, facts.other_owners), (&Access::Owner, 1));
        assert_eq!(
            (facts.by.name.as_str(), facts.by.account_name.as_str()),
            ("Ingrid Berg", "Bakery")
        );
        assert_eq!((facts.target.user, facts.holding.access()), (bjorn, granted(&[])));
        let mail = Some(mail("bjorn@example.com"));
        Ok(Some(MembershipChange { mail, ..change(Some(pay.clone())) }))
    };
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_membership(id, ingrid, bjorn, at(5), decide).await.unwrap();

    assert_eq!(bakery.access(bjorn).await, pay);
    let rows = db.store.activity(id, &ActivityFilter::default(), 1).await.unwrap();
    assert_eq!((rows[0].entry.kind, rows[0].at), (ActivityKind::PermissionsChanged, at(5)));
    let mut to = Vec::new();
    while let Some(mail) = db.store.take_mail(HOUR, at(6)).await.unwrap() {
        to.push(mail.to.to_string());
    }
    assert_eq!(to, ["founder@example.com", "bjorn@example.com"]);
}

#[apply(on_both!)]
async fn a_change_that_changes_nothing_leaves_no_trace(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    db.store.change_membership(id, ingrid, ingrid, at(1), |_| Ok(None)).await.unwrap();
    assert_eq!(bakery.access(ingrid).await, Access::Owner);
    assert_eq!(db.store.activity(id, &ActivityFilter::default(), 9).await.unwrap().len(), 2);
}

#[apply(on_both!)]
async fn people_who_join_by_each_others_invitation_at_once_both_do(db: TestDatabase) {
    let mut joins = Vec::new();
    for pair in 0..20_u8 {
        let mut people = Vec::new();
        for (half, name) in ["ingrid", "mei"].into_iter().enumerate() {
            let address = format!("{name}{pair}@example.com");
            let owner = user(&db.store, name, &address).await;
            let (id, number) = account(&db.store, name).await;
            db.store.add_member(id, owner, Access::Owner, at(0)).await.unwrap();
            let token = pair * 2 + u8::try_from(half).unwrap();
            people.push((owner, email(&address), id, number, token));
        }
        for (host, guest) in [(0, 1), (1, 0)] {
            let (inviter, _, id, number, token) = people[host].clone();
            let (guest, address) = (people[guest].0, people[guest].1.clone());
            let offer = |_: &_| Ok(crate::story::offer(token, granted(&[])));
            db.store.offer_invitation(id, inviter, &address, at(0), offer).await.unwrap();
            joins.push((guest, number, token));
        }
    }
    let joined = at_once(40, |place| {
        let (store, (guest, number, token)) = (db.store.clone(), joins[usize::from(place)]);
        async move {
            let accept = crate::story::accept(store::Joiner::Existing(guest), granted(&[]));
            let hash = crate::story::token(token);
            let answered = store.answer_invitation(&hash, at(1), |_| Ok(accept)).await;
            answered.map(|joined| joined == number)
        }
    })
    .await;
    assert_eq!(joined, vec![Ok(true); 40]);
}

#[apply(on_both!)]
async fn a_refused_change_leaves_no_trace(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let no = Failure::NotAllowed(Permission::AccountUsers);
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let refused = db.store.change_membership(id, ingrid, ingrid, at(1), |_| Err(no.clone()));
    assert_eq!(refused.await, Err(no));
    assert_eq!(bakery.access(ingrid).await, Access::Owner);
    assert_eq!(db.store.activity(id, &ActivityFilter::default(), 9).await.unwrap().len(), 2);
}

#[apply(on_both!)]
async fn ended_access_is_gone_from_lists_and_search_at_once(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let bjorn = bakery.with("Bjørn", "bjorn@example.com", granted(&[])).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let end = |_: &_| Ok(Some(change(None)));
    db.store.change_membership(id, ingrid, bjorn, at(1), end).await.unwrap();
    assert!(db.store.membership(bjorn, bakery.number, None, at(0)).await.unwrap().is_none());
    assert!(db.store.memberships(bjorn, None, 9, at(0)).await.unwrap().is_empty());
    assert!(found(&bakery, "bjørn").await.is_empty());
    // The login is the person's own, and stays.
    assert!(db.store.login_of(bjorn).await.unwrap().is_some());
    db.store.add_member(id, bjorn, granted(&[]), at(3)).await.unwrap();
    assert_eq!(found(&bakery, "bjørn").await, ["Bjørn"]);
}

#[apply(on_both!)]
async fn strangers_neither_change_nor_are_changed(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let tom = user(&db.store, "Tom", "tom@example.com").await;
    let asked = |_: &ChangeFacts| panic!("asked about a stranger");
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let by = db.store.change_membership(id, tom, ingrid, at(1), asked).await;
    let of = db.store.change_membership(id, ingrid, tom, at(1), asked).await;
    assert_eq!((by, of), (Err(Failure::NotFound), Err(Failure::NotFound)));
}

#[apply(on_both!)]
async fn nobody_is_put_into_an_account_twice(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let again = db.store.add_member(bakery.id, bakery.ingrid, granted(&[]), at(1)).await;
    assert_eq!(again, Err(Failure::Conflict(Conflict::AlreadyInAccount)));
    let nobody = uuid::Uuid::nil();
    let none = db.store.add_member(bakery.id, nobody.into(), granted(&[]), at(1)).await;
    assert_eq!(none, Err(Failure::NotFound));
    let nowhere = db.store.add_member(nobody.into(), bakery.ingrid, granted(&[]), at(1)).await;
    assert_eq!(nowhere, Err(Failure::NotFound));
}

#[apply(on_both!)]
async fn two_owners_removing_each_other_leave_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let olav = bakery.with("Olav", "olav@example.com", Access::Owner).await;
    let (id, ingrid) = (bakery.id, bakery.ingrid);
    let results = at_once(2, |number| {
        let store = db.store.clone();
        let (actor, target) = if number == 0 { (ingrid, olav) } else { (olav, ingrid) };
        async move { store.change_membership(id, actor, target, at(1), keep_an_owner).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert!(results.contains(&Err(Failure::NotFound)), "the loser isn't in the account");
    assert_eq!(db.store.owners(id, 9).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn fifty_owners_leaving_at_once_leave_one(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let mut owners = vec![bakery.ingrid];
    for number in 1..50 {
        let address = format!("o{number}@example.com");
        owners.push(bakery.with(&format!("Owner {number}"), &address, Access::Owner).await);
    }
    let id = bakery.id;
    let results = at_once(50, |number| {
        let (store, owner) = (db.store.clone(), owners[usize::from(number)]);
        async move { store.change_membership(id, owner, owner, at(1), keep_an_owner).await }
    })
    .await;
    let stayed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(stayed, [Failure::Conflict(Conflict::LastOwner)]);
    assert_eq!(db.store.owners(id, 99).await.unwrap().len(), 1);
}

#[apply(on_both!)]
async fn a_new_name_while_joining_is_sorted_and_found_everywhere(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    for round in 0..10_u8 {
        let mei = user(&db.store, "Mei Tanaka", &format!("mei{round}@example.com")).await;
        let (store, id) = (db.store.clone(), bakery.id);
        let joining =
            tokio::spawn(async move { store.add_member(id, mei, Access::NONE, at(0)).await });
        let name = model::FullName::parse("Aiko Sato").unwrap();
        db.store.change_profile(mei, &name, None, None, at(1)).await.unwrap();
        joining.await.unwrap().unwrap();
    }
    assert_eq!(found(&bakery, "sato").await.len(), 10);
    assert!(found(&bakery, "tanaka").await.is_empty());
    assert_eq!(paged(&bakery, UserSort::Name, None).await.len(), 11);
}

#[apply(on_both!)]
async fn a_new_name_of_an_account_while_somebody_joins_is_sorted_for_everybody(db: TestDatabase) {
    let bakery = Bakery::new(&db.store).await;
    let (other, _) = account(&db.store, "Middle").await;
    for round in 0..10_u8 {
        let mei = user(&db.store, "Mei Tanaka", &format!("mei{round}@example.com")).await;
        db.store.add_member(other, mei, Access::NONE, at(0)).await.unwrap();
        let name = if round % 2 == 0 { "Zoo" } else { "apothecary" };
        let details = store::AccountDetails { name: name.to_owned(), ..Default::default() };
        let (store, id) = (db.store.clone(), bakery.id);
        let joining =
            tokio::spawn(async move { store.add_member(id, mei, Access::NONE, at(0)).await });
        db.store.set_account_details(bakery.id, &details).await.unwrap();
        joining.await.unwrap().unwrap();
        let reached = db.store.memberships(mei, None, 9, at(0)).await.unwrap();
        let names: Vec<_> = reached.iter().map(|row| row.name.as_str()).collect();
        assert!(names == ["Middle", "Zoo"] || names == ["apothecary", "Middle"], "{names:?}");
        let behind = db.store.memberships(mei, Some(&reached[0].cursor()), 9, at(0)).await.unwrap();
        assert_eq!(behind.len(), 1);
    }
    let owner = db.store.membership(bakery.ingrid, bakery.number, None, at(0)).await.unwrap();
    assert_eq!(owner.unwrap().name, "apothecary");
}
