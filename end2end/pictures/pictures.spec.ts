import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { turnAppOn } from '../story/authenticator';
import { bjorn, ingrid, mei, nordlys, olav, tom, type Person } from '../story/people';
import {
  enter,
  fillSignIn,
  heading,
  inAccount,
  openInviteForm,
  openManageAccess,
  ownName,
  readMail,
  sendInvitation,
  signIn,
  signInByForm,
} from '../story/steps';
import { expect, test } from '../story/test';
import { languages, wordsOf } from '../story/words';

const folder = process.env.SCREENSHOTS ?? 'pictures';

test('pictures of the pages, in four widths, light and dark', async ({ page, someoneElse }) => {
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
    { name: 'users-filtered', as: ingrid, address: inAccount(nordlys, 'users?access=billing.pay&second_factor=off') },
    { name: 'invite', as: ingrid, address: inAccount(nordlys, 'users/invite'), before: fillInvitation },
    { name: 'invite-dialog', as: ingrid, address: inAccount(nordlys, 'users'), before: openInvitation },
    { name: 'manage', as: ingrid, address: manage },
    { name: 'remove-question', as: ingrid, address: manage, before: askToRemove },
    { name: 'overview', as: ingrid, address: inAccount(nordlys) },
    { name: 'log', as: ingrid, address: inAccount(nordlys, 'log') },
    { name: 'refused', as: bjorn, address: inAccount(nordlys, 'users') },
    { name: 'accounts', as: mei, address: '/accounts' },
    { name: 'sign-in', address: '/sign-in' },
    { name: 'join', address: invitation },
    { name: 'guides', as: ingrid, address: `/help?account=${nordlys.number}` },
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

  async function openInvitation() {
    await expect(shown.locator('#page[data-alive]')).toHaveCount(1);
    await openInviteForm(shown);
    await expect(shown.getByRole('dialog')).toBeVisible();
    await fillInvitation();
  }

  async function askToRemove() {
    await expect(shown.locator('#page[data-alive]')).toHaveCount(1);
    await shown.getByRole('button', { name: 'Remove access', exact: true }).first().click();
    await expect(shown.getByRole('dialog')).toBeVisible();
  }

  const shown = await someoneElse();
  for (const { name, as, address, before } of pages) {
    if (as) await signIn(shown, as);
    else await shown.context().clearCookies();
    await shown.setViewportSize({ width: 1280, height: 800 });
    await shown.goto(address);
    await shown.waitForLoadState('networkidle');
    await expect(shown.getByRole('heading', { level: 1 })).toBeVisible();
    await before?.();
    await pictures(shown, name);
  }

  await shown.setViewportSize({ width: 1280, height: 800 });
  await signInByForm(shown, tom);
  await turnAppOn(shown);
  await pictures(shown, 'recovery-codes');
  await shown.context().clearCookies();
  await shown.setViewportSize({ width: 1280, height: 800 });
  await shown.goto('/sign-in');
  await fillSignIn(shown, tom);
  await expect(heading(shown, 'Second factor')).toBeVisible();
  await pictures(shown, 'second-factor');
});

/** A page in all widths and both themes, from its top on; where it is narrow, the whole of it. */
async function pictures(of: Page, name: string) {
  for (const width of [1280, 1024, 390, 320]) {
    await of.setViewportSize({ width, height: width > 600 ? 800 : 844 });
    await of.evaluate(() => scrollTo(0, 0));
    for (const colorScheme of ['light', 'dark'] as const) {
      await of.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await of.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: width < 600 });
    }
  }
}

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
