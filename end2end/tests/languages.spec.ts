// The guide once more, in every language; and how a language is chosen.
import { ingrid, mei, nordlys, stranger } from '../story/people';
import { accountMenu, heading, inAccount, mailsTo, ownName, rowOf, signInByForm } from '../story/steps';
import { expect, test } from '../story/test';
import { languages, wordsOf } from '../story/words';

test.use({ story: 'languages', refusals: [422] });

for (const language of languages) {
  const say = wordsOf(language);

  test.describe(language, () => {
    test.use({ locale: language });

    test('the guide can be walked from the first click to the last', async ({ page, someoneElse }) => {
      const newcomer = stranger('Nora Vik');
      const button = (name: string) => page.getByRole('button', { name, exact: true });
      await page.goto('/sign-in');
      await expect(page.locator('html')).toHaveAttribute('lang', language);
      await page.getByLabel(say('form.email')).fill(ingrid.email);
      await page.getByLabel(say('form.password'), { exact: true }).fill(ingrid.password);
      await button(say('sign_in.button')).click();
      await ownName(page, ingrid).click();
      await accountMenu(page).getByRole('link', { name: say('frame.user_management'), exact: true }).click();
      await expect(heading(page, say('users.heading'))).toBeVisible();
      await expect(page.getByRole('main')).toContainText(say('users.tip'));

      const opener = { name: say('users.invite'), exact: true };
      await page.getByRole('link', opener).or(page.getByRole('button', opener)).click();
      const send = { name: say('invite.button'), exact: true };
      const form = page.locator('form').filter({ has: page.getByRole('button', send) });
      for (const area of ['services', 'domains', 'billing', 'support', 'account']) {
        await expect(form.getByRole('group', { name: say(`area.${area}`), exact: true })).toBeVisible();
      }
      await form.getByRole('button', send).click();
      await expect(page.getByRole('heading', { name: say('form.problem') })).toBeVisible();
      await expect(page.getByRole('main')).toContainText(say('problem.permissions_missing'));
      await form.getByLabel(say('form.email')).fill(newcomer.email);
      await form.getByRole('checkbox', { name: say('permission.billing_pay'), exact: true }).check();
      await form.getByRole('button', send).click();
      const sent = page.getByRole('status').filter({ hasText: say('notice.invitation_sent', { email: newcomer.email }) });
      await expect(sent).toBeVisible();

      const theirs = await someoneElse();
      const subject = say('mail.invitation_subject', { inviter: ingrid.name, account: nordlys.name });
      await expect(async () => {
        await theirs.goto('/demo/mailbox');
        await mailsTo(theirs, newcomer.email, subject).click({ timeout: 500 });
      }).toPass({ timeout: 20_000 });
      const link = await theirs.getByRole('main').locator('a[href*="/invitations/"]').first().getAttribute('href');
      await theirs.goto(link ?? '');
      await expect(heading(theirs, say('join.heading', { account: nordlys.name }))).toBeVisible();
      await theirs.getByLabel(say('form.full_name')).fill(newcomer.name);
      await theirs.getByLabel(say('form.password'), { exact: true }).fill(newcomer.password);
      await theirs.getByRole('button', { name: say('join.new_button'), exact: true }).click();
      await expect(ownName(theirs, newcomer)).toBeVisible();
      const refused = await theirs.goto(inAccount(nordlys, 'domains'));
      expect(refused?.status()).toBe(403);
      await expect(heading(theirs, say('refused.heading', { area: say('area.domains') }))).toBeVisible();

      await page.goto(inAccount(nordlys, 'users'));
      const users = page.getByRole('table', { name: say('users.caption'), exact: true });
      await rowOf(users, newcomer.email)
        .getByRole('link', { name: say('users.manage', { name: newcomer.name }), exact: true })
        .first()
        .click();
      await page.getByRole('checkbox', { name: say('permission.domains_view'), exact: true }).check();
      await button(say('manage.save')).click();
      await expect(page.getByRole('status').filter({ hasText: say('notice.changes_saved') })).toBeVisible();
      await theirs.goto(inAccount(nordlys, 'domains'));
      await expect(heading(theirs, say('domains.heading'))).toBeVisible();
    });

    test('the guide itself speaks the language', async ({ page }) => {
      await signInAs(page, language);
      await page.goto(`/help/users?account=${nordlys.number}`);
      await expect(heading(page, say('help.heading'))).toBeVisible();
      await expect(page.getByRole('main')).toContainText(say('help.inviting_yes', { account: nordlys.name }));
      await page.goto('/help/billing');
      await expect(heading(page, say('guide_billing.heading'))).toBeVisible();
    });

    async function signInAs(page: import('@playwright/test').Page, to: string) {
      await page.goto('/sign-in');
      await page.getByLabel(say('form.email')).fill(ingrid.email);
      await page.getByLabel(say('form.password'), { exact: true }).fill(ingrid.password);
      await page.getByRole('button', { name: say('sign_in.button'), exact: true }).click();
      await expect(page.locator('html')).toHaveAttribute('lang', to);
      await expect(ownName(page, ingrid)).toBeVisible();
    }
  });
}

test('the sign-in page lets choose, and the choice stays', async ({ page }) => {
  await page.goto('/sign-in?next=/accounts');
  await page.getByRole('button', { name: 'Norsk bokmål' }).click();
  await expect(heading(page, 'Logg inn')).toBeVisible();
  await expect(page).toHaveURL(/next=\/accounts/);
  await page.goto('/forgot-password');
  await expect(page.locator('html')).toHaveAttribute('lang', 'nb');
});

test('the profile chooses for good, here and in every other browser', async ({ page, someoneElse }) => {
  await signInByForm(page, mei);
  await page.goto('/profile');
  await page.getByLabel('Language').selectOption('Deutsch');
  await page.getByRole('button', { name: 'Save changes', exact: true }).click();
  const de = wordsOf('de');
  await expect(page.getByRole('status').filter({ hasText: de('notice.changes_saved') })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  const elsewhere = await someoneElse();
  await signInByForm(elsewhere, mei);
  await expect(elsewhere.locator('html')).toHaveAttribute('lang', 'de');
  await expect(heading(elsewhere, de('accounts.heading'))).toBeVisible();
});
