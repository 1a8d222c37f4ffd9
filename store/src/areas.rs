//! What the areas show: services, domains, invoices and support requests.

use model::{AccountId, Failure, Timestamp};
use sqlx::{query, query_as};
use uuid::Uuid;

use crate::Store;
use crate::db::{limit, read, sql, write};

sql! {
    SERVICES = "SELECT id, name, plan, state, renews_at, login_name, login_password \
                FROM services WHERE account_id = $1 ORDER BY name, id LIMIT $2";
    DOMAINS = "SELECT id, name, state, expires_at, locked \
               FROM domains WHERE account_id = $1 ORDER BY name, id LIMIT $2";
    INVOICES = "SELECT id, number, issued_at, due_at, total_minor, currency, state \
                FROM invoices WHERE account_id = $1 ORDER BY issued_at DESC, id DESC LIMIT $2";
    SUPPORT_REQUESTS = "SELECT id, number, subject, state, opened_by, updated_at \
                        FROM support_requests WHERE account_id = $1 \
                        ORDER BY updated_at DESC, id DESC LIMIT $2";
    INSERT_SERVICE = "INSERT INTO services \
                          (account_id, id, name, plan, state, renews_at, login_name, \
                           login_password) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    INSERT_DOMAIN = "INSERT INTO domains (account_id, id, name, state, expires_at, locked) \
                     VALUES ($1, $2, $3, $4, $5, $6)";
    INSERT_INVOICE = "INSERT INTO invoices \
                          (account_id, id, number, issued_at, due_at, total_minor, currency, \
                           state) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    INSERT_SUPPORT_REQUEST = "INSERT INTO support_requests \
                                  (account_id, id, number, subject, state, opened_by, updated_at) \
                              VALUES ($1, $2, $3, $4, $5, $6, $7)";
}

/// A service that the provider runs for the account.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its id.
    pub id: Uuid,
    /// Its name, such as "Webshop".
    pub name: String,
    /// What was ordered, such as "Managed hosting M".
    pub plan: String,
    /// `active`, `suspended` or `ended`.
    pub state: String,
    /// When it renews.
    pub renews_at: Timestamp,
    /// The login name at the service.
    pub login_name: String,
    /// The password at the service.
    pub login_password: model::Secret,
}

/// A domain name.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its id.
    pub id: Uuid,
    /// The name, such as `example.com`.
    pub name: String,
    /// `active`, `transferring` or `expired`.
    pub state: String,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// Whether transfers away are locked.
    pub locked: bool,
}

/// An invoice.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// Its id.
    pub id: Uuid,
    /// Its number as printed.
    pub number: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// The total in the currency's smallest unit.
    pub total_minor: i64,
    /// The currency (ISO 4217).
    pub currency: String,
    /// `open`, `overdue` or `paid`.
    pub state: String,
}

/// A conversation with the provider's support.
#[derive(Clone, Debug)]
pub struct SupportRequest {
    /// Its id.
    pub id: Uuid,
    /// Its number as shown.
    pub number: String,
    /// What it is about.
    pub subject: String,
    /// `open`, `answered` or `closed`.
    pub state: String,
    /// Who opened it.
    pub opened_by: String,
    /// When something was last said.
    pub updated_at: Timestamp,
}

macro_rules! listed {
    ($store:expr, $text:expr, $account:expr, $most:expr) => {
        read!($store, db => query_as($text)
            .bind(Uuid::from($account))
            .bind(limit($most))
            .fetch_all(db))
    };
}

impl Store {
    /// The account's services by name, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn services(&self, account: AccountId, most: usize) -> Result<Vec<Service>, Failure> {
        let rows: Vec<(Uuid, String, String, String, i64, String, String)> =
            listed!(self, SERVICES, account, most)?;
        let service = |(id, name, plan, state, renews_at, login_name, login_password)| Service {
            id,
            name,
            plan,
            state,
            renews_at: Timestamp::from_micros(renews_at),
            login_name,
            login_password: model::Secret::from(login_password),
        };
        Ok(rows.into_iter().map(service).collect())
    }

    /// The account's domains by name, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn domains(&self, account: AccountId, most: usize) -> Result<Vec<Domain>, Failure> {
        let rows: Vec<(Uuid, String, String, i64, bool)> = listed!(self, DOMAINS, account, most)?;
        let domain = |(id, name, state, expires_at, locked)| Domain {
            id,
            name,
            state,
            expires_at: Timestamp::from_micros(expires_at),
            locked,
        };
        Ok(rows.into_iter().map(domain).collect())
    }

    /// The account's invoices, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn invoices(&self, account: AccountId, most: usize) -> Result<Vec<Invoice>, Failure> {
        let rows: Vec<(Uuid, String, i64, i64, i64, String, String)> =
            listed!(self, INVOICES, account, most)?;
        let invoice = |(id, number, issued_at, due_at, total_minor, currency, state)| Invoice {
            id,
            number,
            issued_at: Timestamp::from_micros(issued_at),
            due_at: Timestamp::from_micros(due_at),
            total_minor,
            currency,
            state,
        };
        Ok(rows.into_iter().map(invoice).collect())
    }

    /// The account's support requests, the last touched first, at most `most`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn support_requests(
        &self,
        account: AccountId,
        most: usize,
    ) -> Result<Vec<SupportRequest>, Failure> {
        let rows: Vec<(Uuid, String, String, String, String, i64)> =
            listed!(self, SUPPORT_REQUESTS, account, most)?;
        let request = |(id, number, subject, state, opened_by, updated_at)| SupportRequest {
            id,
            number,
            subject,
            state,
            opened_by,
            updated_at: Timestamp::from_micros(updated_at),
        };
        Ok(rows.into_iter().map(request).collect())
    }

    /// Adds a service.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_service(&self, account: AccountId, service: &Service) -> Result<(), Failure> {
        write!(self, db => query(INSERT_SERVICE)
            .bind(Uuid::from(account))
            .bind(service.id)
            .bind(&service.name)
            .bind(&service.plan)
            .bind(&service.state)
            .bind(service.renews_at.as_micros())
            .bind(&service.login_name)
            .bind(service.login_password.expose())
            .execute(db))?;
        Ok(())
    }

    /// Adds a domain.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_domain(&self, account: AccountId, domain: &Domain) -> Result<(), Failure> {
        write!(self, db => query(INSERT_DOMAIN)
            .bind(Uuid::from(account))
            .bind(domain.id)
            .bind(&domain.name)
            .bind(&domain.state)
            .bind(domain.expires_at.as_micros())
            .bind(domain.locked)
            .execute(db))?;
        Ok(())
    }

    /// Adds an invoice.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_invoice(&self, account: AccountId, invoice: &Invoice) -> Result<(), Failure> {
        write!(self, db => query(INSERT_INVOICE)
            .bind(Uuid::from(account))
            .bind(invoice.id)
            .bind(&invoice.number)
            .bind(invoice.issued_at.as_micros())
            .bind(invoice.due_at.as_micros())
            .bind(invoice.total_minor)
            .bind(&invoice.currency)
            .bind(&invoice.state)
            .execute(db))?;
        Ok(())
    }

    /// Adds a support request.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn add_support_request(
        &self,
        account: AccountId,
        request: &SupportRequest,
    ) -> Result<(), Failure> {
        write!(self, db => query(INSERT_SUPPORT_REQUEST)
            .bind(Uuid::from(account))
            .bind(request.id)
            .bind(&request.number)
            .bind(&request.subject)
            .bind(&request.state)
            .bind(&request.opened_by)
            .bind(request.updated_at.as_micros())
            .execute(db))?;
        Ok(())
    }
}
