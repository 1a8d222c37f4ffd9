-- Links to the provider's own pages, which it gives with its things: where a service is opened, an
-- invoice is paid or read, and what runs out is renewed. They change the thing like all that is told of
-- it.
ALTER TABLE services ADD COLUMN open_link TEXT;
ALTER TABLE services ADD COLUMN renew_link TEXT;
DROP TRIGGER services_are_stamped;
CREATE TRIGGER services_are_stamped AFTER UPDATE
    OF ref, account_id, name, plan, state, renews_at, login_name, login_password,
        open_link, renew_link ON services
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE services SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;

ALTER TABLE domains ADD COLUMN renew_link TEXT;
DROP TRIGGER domains_are_stamped;
CREATE TRIGGER domains_are_stamped AFTER UPDATE
    OF ref, account_id, name, state, expires_at, locked, renew_link ON domains
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE domains SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;

ALTER TABLE invoices ADD COLUMN pay_link TEXT;
ALTER TABLE invoices ADD COLUMN pdf_link TEXT;
DROP TRIGGER invoices_are_stamped;
CREATE TRIGGER invoices_are_stamped AFTER UPDATE
    OF ref, account_id, number, issued_at, due_at, total_minor, currency, state,
        pay_link, pdf_link ON invoices
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE invoices SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;

ALTER TABLE support_requests ADD COLUMN open_link TEXT;
DROP TRIGGER support_requests_are_stamped;
CREATE TRIGGER support_requests_are_stamped AFTER UPDATE
    OF ref, account_id, number, subject, state, opened_by, updated_at, open_link ON support_requests
BEGIN
    UPDATE changes
        SET last = max(last + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    UPDATE support_requests SET changed = (SELECT last FROM changes) WHERE id = NEW.id;
END;
