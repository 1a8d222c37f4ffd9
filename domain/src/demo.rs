//! The demo: a fictional bakery, its agency, and a few years of their business.

use std::time::Duration;

use model::{
    AccountId, AccountNumber, Actor, EmailAddress, Failure, FullName, Keys, Link, NamedBy,
    Password, Permission, PermissionSet, Secret, SessionId, Timestamp, UserId,
};
use store::{AccountDetails, Domain, Invoice, NewUser, OfferFacts, Service, SupportRequest};
use uuid::Uuid;

use crate::giving::Wished;
use crate::invitations::Links;
use crate::viewer::Viewer;
use crate::{Client, Latchkey, giving, invitations, links, users};

/// Everybody's password in the demo.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody in the demo.
#[derive(Clone, Copy, Debug)]
pub struct DemoPerson {
    /// Their full name.
    pub name: &'static str,
    /// Their address.
    pub email: &'static str,
}

/// Owner of the bakery.
pub const INGRID: DemoPerson =
    DemoPerson { name: "Ingrid Solberg", email: "ingrid@nordlys.example" };
/// The bakery's other owner.
pub const OLAV: DemoPerson = DemoPerson { name: "Olav Solberg", email: "olav@nordlys.example" };
/// The bakery's office: manages its users and their permissions.
pub const AMIRA: DemoPerson = DemoPerson { name: "Amira Haddad", email: "amira@nordlys.example" };
/// The bookkeeper.
pub const BJORN: DemoPerson = DemoPerson { name: "Bjørn Lie", email: "bjorn@ledger.example" };
/// Owner of the agency, with a key to the bakery.
pub const MEI: DemoPerson = DemoPerson { name: "Mei Tanaka", email: "mei@fjordpixel.example" };
/// Works at the agency.
pub const TOM: DemoPerson = DemoPerson { name: "Tom Becker", email: "tom@fjordpixel.example" };

/// Everybody who can sign in, in the order in which the sign-in page lists them.
pub const PEOPLE: [DemoPerson; 6] = [INGRID, OLAV, AMIRA, BJORN, MEI, TOM];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Fills an empty database with the demo. Answers false, and changes nothing, when there are
/// accounts already.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn seed(latchkey: &Latchkey) -> Result<bool, Failure> {
    if !latchkey.store.accounts(None, 1, latchkey.now()).await?.is_empty() {
        return Ok(false);
    }
    let (bakery, ingrid) = found(latchkey, "Nordlys Bakeri AS", INGRID).await?;
    let (agency, mei) = found(latchkey, "Fjord & Pixel", MEI).await?;

    own_too(latchkey, &ingrid, OLAV).await?;

    use Permission::{
        AccountUsers, BillingPay, BillingView, DomainsManage, ServicesManage, ServicesView,
        SupportOpen,
    };
    let invited: [(&Actor, DemoPerson, &[Permission]); 3] = [
        (&ingrid, AMIRA, &[ServicesManage, BillingView, AccountUsers]),
        (&ingrid, BJORN, &[BillingView]),
        (&ingrid, MEI, &[ServicesManage, DomainsManage]),
    ];
    for (inviter, person, permissions) in invited {
        join(latchkey, inviter, person, permissions).await?;
    }
    let bjorn = latchkey.store.login(&address(BJORN)?).await?.ok_or(Failure::NotFound)?.id;
    let wanted = Wished::from(&[BillingPay][..]);
    let bjorn = bjorn.to_string();
    users::change_permissions(latchkey, &ingrid, &bjorn, &wanted, None, &office()).await?;

    let pending = Wished::from(&[BillingView][..]);
    invitations::send(latchkey, &ingrid, "post@regnskap.example", &pending, &office()).await?;
    let earlier = at(latchkey, latchkey.now().before(10 * DAY));
    let summer = Wished::from(&[ServicesView][..]);
    invitations::send(&earlier, &ingrid, "sommer@nordlys.example", &summer, &office()).await?;

    bakery_business(latchkey, bakery.account).await?;
    agency_business(latchkey, agency.account).await?;
    // The last step, by which [`is_whole`] tells that there was nothing in the way.
    join(latchkey, &mei, TOM, &[ServicesView, SupportOpen]).await?;
    Ok(true)
}

/// Whether seeding came to its end: it is many transactions, and a stop in between leaves a part.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn is_whole(latchkey: &Latchkey) -> Result<bool, Failure> {
    let Some(tom) = latchkey.store.login(&address(TOM)?).await? else { return Ok(false) };
    let agency = AccountNumber::from_stored(100_002);
    Ok(latchkey.store.membership(tom.id, agency, None, latchkey.now()).await?.is_some())
}

/// An account's number is what people know it by; the demo's own parts need its id.
struct Founded {
    account: AccountId,
}

/// A clock that stands still: for what happened before the demo began.
struct Stopped(Timestamp);

impl crate::Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn at(latchkey: &Latchkey, moment: Timestamp) -> Latchkey {
    Latchkey { clock: std::sync::Arc::new(Stopped(moment)), ..latchkey.clone() }
}

fn office() -> Client {
    Client { address: "192.0.2.17".to_owned(), user_agent: "Demo".to_owned(), ..Client::default() }
}

fn address(person: DemoPerson) -> Result<EmailAddress, Failure> {
    EmailAddress::parse(person.email).map_err(|_| Failure::NotFound)
}

async fn found(
    latchkey: &Latchkey,
    name: &str,
    owner: DemoPerson,
) -> Result<(Founded, Actor), Failure> {
    let (number, token) = crate::accounts::create(latchkey, name, owner.email).await?;
    let token = token.secret().expose();
    let user = join_as(latchkey, token, owner).await?;
    let account = account_of(latchkey, user, number).await?;
    let at = latchkey.now();
    Ok((Founded { account }, Actor { user, account, keys: Keys::Owner, at, eyes: None }))
}

async fn account_of(
    latchkey: &Latchkey,
    user: UserId,
    number: AccountNumber,
) -> Result<AccountId, Failure> {
    let membership = latchkey.store.membership(user, number, None, latchkey.now()).await?;
    membership.map(|membership| membership.account).ok_or(Failure::NotFound)
}

/// Has an owner invite somebody to own the account too, and joins as them. No page offers that yet.
async fn own_too(latchkey: &Latchkey, owner: &Actor, person: DemoPerson) -> Result<(), Failure> {
    let email = address(person)?;
    let now = latchkey.now();
    let links = Links::new(latchkey, &giving::zone(latchkey, owner.account).await?, now);
    let decide =
        |facts: &OfferFacts| Ok(invitations::offer_to_own(&links, &facts.by, &email, &office()));
    latchkey.store.offer_invitation(owner.account, owner.user, &email, now, decide).await?;
    join_as(latchkey, links.mailed.secret().expose(), person).await?;
    Ok(())
}

/// Invites somebody and joins as them: the log and the mailbox show that it happened.
async fn join(
    latchkey: &Latchkey,
    inviter: &Actor,
    person: DemoPerson,
    permissions: &[Permission],
) -> Result<(), Failure> {
    let granted: PermissionSet = permissions.iter().copied().collect();
    let granted: Vec<_> = granted.iter().collect();
    let sent =
        invitations::send(latchkey, inviter, person.email, &Wished::from(&*granted), &office())
            .await?;
    join_as(latchkey, sent.token.secret().expose(), person).await?;
    Ok(())
}

/// Joins as somebody, whose login is made when there is none. Without a session: nobody is signed
/// in before somebody signs in.
async fn join_as(latchkey: &Latchkey, token: &str, person: DemoPerson) -> Result<UserId, Failure> {
    let email = address(person)?;
    let user = match latchkey.store.login(&email).await? {
        Some(login) => login.id,
        None => new_login(latchkey, person).await?,
    };
    let viewer = Viewer {
        session: SessionId::from(Uuid::nil()),
        user,
        email,
        full_name: person.name.to_owned(),
        language: None,
        time_zone: None,
        authenticated_at: latchkey.now(),
        second_factor: false,
        proven: true,
        vouched: None,
    };
    invitations::join_signed_in(latchkey, token, &viewer, &office()).await?;
    Ok(user)
}

async fn new_login(latchkey: &Latchkey, person: DemoPerson) -> Result<UserId, Failure> {
    let password = Password::parse_new(PASSWORD).map_err(|_| Failure::NotFound)?;
    let password_hash = latchkey.hasher.hash(password, latchkey.random.as_ref()).await?;
    let id = UserId::from(latchkey.new_id());
    let full_name = FullName::parse(person.name).map_err(|_| Failure::NotFound)?;
    let new = NewUser { id, email: address(person)?, full_name, password_hash, language: None };
    latchkey.store.add_user(&new, latchkey.now()).await?;
    Ok(id)
}

async fn bakery_business(latchkey: &Latchkey, account: AccountId) -> Result<(), Failure> {
    let now = latchkey.now();
    let details = AccountDetails {
        name: "Nordlys Bakeri AS".to_owned(),
        street: "Storgata 12".to_owned(),
        postal_code: "9008".to_owned(),
        town: "Tromsø".to_owned(),
        country: "Norway".to_owned(),
        time_zone: String::new(),
    };
    latchkey.store.set_account_details(account, &details).await?;
    let services = [
        ("Webshop", "Managed hosting M", "active", 41, "nordlys-shop"),
        ("Order mail", "Mailboxes, 12", "active", 41, "post@nordlys.example"),
        ("Recipe archive", "Storage 500 GB", "active", 203, "nordlys-archive"),
        ("Old website", "Shared hosting S", "suspended", 9, "nordlys-www"),
    ];
    for (name, plan, state, days, login) in services {
        add_service(latchkey, account, name, plan, state, now.after(days * DAY), login).await?;
    }
    let domains = [
        ("nordlysbakeri.example", "active", 312, true),
        ("nordlys.example", "active", 96, true),
        ("boller.example", "active", 18, false),
        ("skolebrød.example", "transferring", 250, false),
    ];
    for (name, state, days, locked) in domains {
        add_domain(latchkey, account, name, state, now.after(days * DAY), locked).await?;
    }
    let invoices = [
        ("2026-1187", 4, 129_900, "open"),
        ("2026-1042", 35, 129_900, "overdue"),
        ("2026-0911", 66, 129_900, "paid"),
        ("2026-0780", 97, 154_900, "paid"),
        ("2026-0655", 128, 129_900, "paid"),
    ];
    for (number, days, total, state) in invoices {
        add_invoice(latchkey, account, number, now.before(days * DAY), total, state).await?;
    }
    let requests = [
        ("S-5031", "Moving the old website to the new shop", "answered", INGRID, 1),
        ("S-4977", "Certificate for boller.example", "closed", MEI, 21),
        ("S-4820", "Invoice copy for the auditor", "closed", BJORN, 74),
    ];
    for (number, subject, state, person, days) in requests {
        let request = (number, subject, state, person.name);
        add_request(latchkey, account, request, now.before(days * DAY)).await?;
    }
    Ok(())
}

async fn agency_business(latchkey: &Latchkey, account: AccountId) -> Result<(), Failure> {
    let now = latchkey.now();
    let renews = now.after(150 * DAY);
    add_service(latchkey, account, "Staging", "Managed hosting S", "active", renews, "fp").await?;
    let expires = now.after(77 * DAY);
    add_domain(latchkey, account, "fjordpixel.example", "active", expires, true).await?;
    let issued = now.before(12 * DAY);
    add_invoice(latchkey, account, "2026-1150", issued, 49_900, "open").await?;
    let request = ("S-5012", "Second staging environment", "open", TOM.name);
    add_request(latchkey, account, request, now.before(2 * DAY)).await
}

async fn add_service(
    latchkey: &Latchkey,
    account: AccountId,
    name: &str,
    plan: &str,
    state: &str,
    renews_at: Timestamp,
    login_name: &str,
) -> Result<(), Failure> {
    let service = Service {
        id: latchkey.new_id(),
        name: name.to_owned(),
        plan: plan.to_owned(),
        state: state.to_owned(),
        renews_at,
        login_name: login_name.to_owned(),
        login_password: Secret::from(password_like(latchkey.new_id())),
        // What is suspended can be renewed, and not signed in to.
        open_link: link("open", name).filter(|_| state == "active"),
        renew_link: link("renew", name),
        named_by: NamedBy::default(),
    };
    latchkey.store.add_service(account, &service).await
}

/// A page of the provider's own, to which there are only links in the demo.
fn link(verb: &str, name: &str) -> Option<Link> {
    let name = name.to_lowercase().replace(' ', "-");
    links::read(&format!("https://example.com/{verb}/{name}")).ok()
}

/// Something that looks like a generated password and is different in every demo.
fn password_like(id: Uuid) -> String {
    id.simple().to_string().chars().skip(16).collect()
}

async fn add_domain(
    latchkey: &Latchkey,
    account: AccountId,
    name: &str,
    state: &str,
    expires_at: Timestamp,
    locked: bool,
) -> Result<(), Failure> {
    let id = latchkey.new_id();
    let (name, state, named_by) = (name.to_owned(), state.to_owned(), NamedBy::default());
    let renew_link = link("renew", &name);
    let domain = Domain { id, name, state, expires_at, locked, renew_link, named_by };
    latchkey.store.add_domain(account, &domain).await
}

async fn add_invoice(
    latchkey: &Latchkey,
    account: AccountId,
    number: &str,
    issued_at: Timestamp,
    total_minor: i64,
    state: &str,
) -> Result<(), Failure> {
    let invoice = Invoice {
        id: latchkey.new_id(),
        number: number.to_owned(),
        issued_at,
        due_at: issued_at.after(14 * DAY),
        total_minor,
        currency: "NOK".to_owned(),
        state: state.to_owned(),
        pay_link: link("pay", number),
        pdf_link: link("pdf", number),
    };
    latchkey.store.add_invoice(account, &invoice).await
}

async fn add_request(
    latchkey: &Latchkey,
    account: AccountId,
    (number, subject, state, opened_by): (&str, &str, &str, &str),
    updated_at: Timestamp,
) -> Result<(), Failure> {
    let request = SupportRequest {
        id: latchkey.new_id(),
        number: number.to_owned(),
        subject: subject.to_owned(),
        state: state.to_owned(),
        opened_by: opened_by.to_owned(),
        updated_at,
        open_link: link("answer", number),
    };
    latchkey.store.add_support_request(account, &request).await
}
