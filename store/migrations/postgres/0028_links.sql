-- Links to the provider's own pages, which it gives with its things: where a service is opened, an
-- invoice is paid or read, and what runs out is renewed. They change the thing like all that is told of
-- it.
ALTER TABLE services ADD COLUMN open_link TEXT COLLATE "C";
ALTER TABLE services ADD COLUMN renew_link TEXT COLLATE "C";
DROP TRIGGER services_are_stamped ON services;
CREATE CONSTRAINT TRIGGER services_are_stamped
    AFTER INSERT OR UPDATE OF ref, account_id, name, plan, state, renews_at, login_name, login_password,
        open_link, renew_link
    ON services DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();

ALTER TABLE domains ADD COLUMN renew_link TEXT COLLATE "C";
DROP TRIGGER domains_are_stamped ON domains;
CREATE CONSTRAINT TRIGGER domains_are_stamped
    AFTER INSERT OR UPDATE OF ref, account_id, name, state, expires_at, locked, renew_link
    ON domains DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();

ALTER TABLE invoices ADD COLUMN pay_link TEXT COLLATE "C";
ALTER TABLE invoices ADD COLUMN pdf_link TEXT COLLATE "C";
DROP TRIGGER invoices_are_stamped ON invoices;
CREATE CONSTRAINT TRIGGER invoices_are_stamped
    AFTER INSERT OR UPDATE OF ref, account_id, number, issued_at, due_at, total_minor, currency, state,
        pay_link, pdf_link
    ON invoices DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();

ALTER TABLE support_requests ADD COLUMN open_link TEXT COLLATE "C";
DROP TRIGGER support_requests_are_stamped ON support_requests;
CREATE CONSTRAINT TRIGGER support_requests_are_stamped
    AFTER INSERT OR UPDATE OF ref, account_id, number, subject, state, opened_by, updated_at, open_link
    ON support_requests DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stamp_change();
