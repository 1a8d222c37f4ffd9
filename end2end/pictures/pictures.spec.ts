import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { bjorn, ingrid, mei, nordlys, olav, type Person } from '../story/people';
import { enter, heading, inAccount, openManageAccess, ownName, readMail, sendInvitation, signIn } from '../story/steps';
import { expect, test } from '../story/test';
import { languages, wordsOf } from '../story/words';

const folder = process.env.SCREENSHOTS ?? 'pictures';

test('pictures of the pages, wide and narrow, light and dark', async ({ page, someoneElse }) => {
  await enter(page, ingrid, nordlys, 'users');
  const email = 'nora@regnskap.example';
  await sendInvitation(page, { email, permissions: ['See invoices', 'Pay invoices'] });
  const invitation = await readMail(page, email, nordlys.name);
  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, mei);
  const manage = page.url();
  await page.goto(inAccount(nordlys, 'single-sign-on'));
  await page.getByLabel('Domain', { exact: true }).fill('nordlys.example');
  await page.getByRole('button', { name: 'Add domain' }).click();
  await expect(page.getByText('Not proven yet')).toBeVisible();

  const pages: { name: string; as?: Person; address: string; before?: () => Promise<void> }[] = [
    { name: 'users', as: ingrid, address: inAccount(nordlys, 'users') },
    { name: 'invite', as: ingrid, address: inAccount(nordlys, 'users/invite'), before: fillInvitation },
    { name: 'manage', as: ingrid, address: manage },
    { name: 'overview', as: ingrid, address: inAccount(nordlys) },
    { name: 'log', as: ingrid, address: inAccount(nordlys, 'log') },
    { name: 'refused', as: bjorn, address: inAccount(nordlys, 'users') },
    { name: 'accounts', as: mei, address: '/accounts' },
    { name: 'sign-in', address: '/sign-in' },
    { name: 'join', address: invitation },
    { name: 'help', as: ingrid, address: `/help/users?account=${nordlys.number}` },
    { name: 'security', as: ingrid, address: '/security' },
    { name: 'passkey', as: ingrid, address: '/security/passkeys/add' },
    { name: 'profile', as: ingrid, address: '/profile' },
    { name: 'email', as: ingrid, address: '/profile/email' },
    { name: 'policy', as: ingrid, address: inAccount(nordlys, 'policy') },
    { name: 'single-sign-on', as: ingrid, address: inAccount(nordlys, 'single-sign-on') },
    { name: 'company', address: '/sign-in/single-sign-on' },
    { name: 'details', as: ingrid, address: inAccount(nordlys, 'account') },
    { name: 'billing', as: ingrid, address: inAccount(nordlys, 'billing') },
    { name: 'domains', as: ingrid, address: inAccount(nordlys, 'domains') },
    { name: 'leave', as: ingrid, address: inAccount(nordlys, 'leave') },
    { name: 'forgot', address: '/forgot-password' },
    { name: 'mailbox', address: '/demo/mailbox' },
  ];

  async function fillInvitation() {
    await shown.getByLabel('Email address').fill('nora@regnskap.example');
    await shown.getByRole('checkbox', { name: 'All of Billing' }).check();
  }

  const shown = await someoneElse();
  for (const { name, as, address, before } of pages) {
    if (as) await signIn(shown, as);
    else await shown.context().clearCookies();
    for (const width of [1280, 390]) {
      await shown.setViewportSize({ width, height: width === 1280 ? 800 : 844 });
      await shown.goto(address);
      await shown.waitForLoadState('networkidle');
      await expect(shown.getByRole('heading', { level: 1 })).toBeVisible();
      await before?.();
      for (const colorScheme of ['light', 'dark'] as const) {
        await shown.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await shown.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: width === 390 });
      }
    }
  }
});

for (const language of languages) {
  test.describe(language, () => {
    test.use({ locale: language });

    // The words are longer in one language than in another, and nowhere is less room for them.
    test('pictures of the longest pages on a phone', async ({ page, someoneElse }) => {
      const say = wordsOf(language);
      const email = `nora.${language}@regnskap.example`;
      const picture = (of: Page, name: string) =>
        of.screenshot({ path: join(folder, `${name}-390-${language}.png`), fullPage: true });
      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto('/sign-in');
      await page.locator('#email').fill(olav.email);
      await page.locator('#password').fill(olav.password);
      await page.locator('form:has(#password) [type=submit]').click();
      await expect(ownName(page, olav)).toBeVisible();
      await page.goto(`/help/users?account=${nordlys.number}`);
      await picture(page, 'help');
      await page.goto(inAccount(nordlys, 'users/invite'));
      await page.locator('#email').fill(email);
      await page.locator('[id="billing.pay"]').check();
      await picture(page, 'invite');
      await page.locator('main form .button-primary[type=submit]').click();
      await expect(page.locator('#notice')).toContainText(email);
      await picture(page, 'users');
      const theirs = await someoneElse();
      await theirs.setViewportSize({ width: 390, height: 844 });
      await theirs.goto(await page.locator('#copy-link').inputValue());
      await picture(theirs, 'join');
      await page.getByRole('link', { name: say('users.manage', { name: mei.name }), exact: true }).click();
      await expect(heading(page, say('manage.heading', { name: mei.name }))).toBeVisible();
      await picture(page, 'manage');
    });
  });
}
