import { join } from 'node:path';
import { bjorn, ingrid, mei, nordlys, type Person } from '../story/people';
import { enter, inAccount, openManageAccess, readMail, sendInvitation, signIn } from '../story/steps';
import { expect, test } from '../story/test';

const folder = process.env.SCREENSHOTS ?? 'pictures';

test('pictures of the pages, wide and narrow, light and dark', async ({ page, someoneElse }) => {
  await enter(page, ingrid, nordlys, 'users');
  const email = 'nora@regnskap.example';
  await sendInvitation(page, { email, permissions: ['See invoices', 'Pay invoices'] });
  const invitation = await readMail(page, email, nordlys.name);
  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, mei);
  const manage = page.url();

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
