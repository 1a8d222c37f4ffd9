// What scripts add, and what they must not spoil: ticks made before they came, the focus, the waiting, their own end.
import type { Page } from '@playwright/test';
import { ingrid, nordlys, stranger } from '../story/people';
import {
  announcement,
  bringIn,
  enter,
  expectOpen,
  expectRefused,
  heading,
  inAccount,
  openManageAccess,
  permissionsForm,
  saveChanges,
  sendInvitation,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'alive' });

/** Keeps back what the page asks for at these addresses; answers what lets it through. */
async function keepBack(page: Page, addresses: string | RegExp): Promise<() => void> {
  let letThrough = () => {};
  const free = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route(addresses, async (route) => {
    await free;
    await route.continue();
  });
  return letThrough;
}

test('what is ticked before the page comes to life counts', async ({ page, someoneElse, javaScriptEnabled }) => {
  const newcomer = stranger('Liv Aas');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, newcomer, ['See invoices', 'Pay invoices', 'See services']);
  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, newcomer);

  const letThrough = await keepBack(page, /\/pkg\/.*\.wasm$/);
  await page.reload({ waitUntil: 'domcontentloaded' });
  const form = permissionsForm(page);
  await form.getByRole('checkbox', { name: 'See invoices' }).uncheck();
  await form.getByRole('checkbox', { name: 'All of Domains' }).check();
  await form.getByRole('radiogroup', { name: 'Which services?' }).getByRole('radio', { name: 'Only these' }).check();
  await form.getByRole('checkbox', { name: 'Webshop' }).check();
  await form.getByLabel('Until', { exact: true }).fill(`${new Date().getFullYear() + 2}-01-31`);
  letThrough();
  if (javaScriptEnabled !== false) {
    // Alive, the boxes of whole areas aren't sent any more.
    await expect(form.locator('[name="areas[]"]')).toHaveCount(0);
    await expect(form.getByRole('checkbox', { name: 'See invoices' })).not.toBeChecked();
    await expect(form.getByRole('checkbox', { name: 'Pay invoices' })).not.toBeChecked();
    await expect(form.getByRole('checkbox', { name: 'Transfer domains away' })).toBeChecked();
    await expect(form).toContainText('3 of 3');
    await expect(form).toContainText(/see services \(1 of 4: Webshop\).*, until \w+day, 31 January/);
  }
  await saveChanges(page);
  await expectRefused(theirs, nordlys, { path: 'billing', heading: 'Billing' });
  await expectOpen(theirs, nordlys, { path: 'domains', heading: 'Domains' });
  await expectOpen(theirs, nordlys, { path: 'services', heading: 'Services' });
  await expect(theirs.getByRole('table', { name: 'Services' }).getByRole('link')).toHaveText(['Webshop']);
});

test('what is behind a link comes before it is clicked', { tag: '@script' }, async ({ page }) => {
  const coming = (piece: string) => page.waitForRequest((request) => request.url().endsWith(`/${piece}.wasm`));
  await enter(page, ingrid, nordlys);
  await page.waitForLoadState('networkidle');
  const links = page.getByRole('navigation', { name: 'Account' });
  const opened = coming('invite_dialog');
  await links.getByRole('link', { name: 'User management' }).click();
  await opened;
  const pointedAt = coming('billing_page');
  await links.getByRole('link', { name: 'Billing' }).hover();
  await pointedAt;
  const reached = coming('domains_page');
  await links.getByRole('link', { name: 'Domains' }).focus();
  await reached;
});

test('a document names all files that its page takes, so that none waits for another', { tag: '@script' }, async ({ page }) => {
  await enter(page, ingrid, nordlys);
  const taken = new Set<string>();
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    // What opens over the page comes once that is there.
    if (/\/pkg\/.*\.(js|wasm)$/.test(pathname) && !pathname.endsWith('_dialog.wasm')) taken.add(pathname);
  });
  for (const [path, piece] of [
    ['users', 'users_page'],
    ['services', 'services_page'],
    ['users/invite', 'invite_page'],
  ]) {
    taken.clear();
    const answer = await page.goto(inAccount(nordlys, path));
    await page.locator('#page[data-alive]').waitFor();
    const document = (await answer?.text()) ?? '';
    expect([...taken].some((file) => file.endsWith(`/${piece}.wasm`))).toBe(true);
    expect([...taken].filter((file) => !document.includes(file))).toEqual([]);
  }
});

test('the focus follows to the next page and to what came of a form', async ({ page, javaScriptEnabled }) => {
  await enter(page, ingrid, nordlys);
  await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Billing' }).click();
  await expect(heading(page, 'Billing')).toBeVisible();
  // A page that the browser itself loads begins at its top.
  if (javaScriptEnabled !== false) await expect(heading(page, 'Billing')).toBeFocused();
  await page.goto(inAccount(nordlys, 'users'));
  const { email } = stranger();
  await sendInvitation(page, { email, permissions: ['See invoices'] });
  if (javaScriptEnabled !== false) await expect(announcement(page, email)).toBeFocused();
  await page.getByRole('button', { name: `Resend invitation to ${email}` }).click();
  const again = announcement(page, `Invitation sent to ${email} again`);
  await expect(again).toBeVisible();
  if (javaScriptEnabled !== false) {
    await expect(again).toBeFocused();
    await expect(again).toBeInViewport();
  }
});

test('a page without scripts of its own sends a form once, and says what came of it', async ({ page, javaScriptEnabled }) => {
  await enter(page, ingrid, nordlys);
  await page.goto('/profile');
  let sent = 0;
  page.on('request', (request) => (sent += Number(request.method() === 'POST')));
  await page.getByRole('button', { name: 'Save changes' }).first().dblclick();
  await expect(announcement(page, 'Changes saved')).toBeFocused();
  if (javaScriptEnabled !== false) expect(sent).toBe(1);
});

test('waiting is shown, also when nothing may move', async ({ page, javaScriptEnabled }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await enter(page, ingrid, nordlys, 'users?search=e');
  const letThrough = await keepBack(page, /\/api\/users\/page/);
  await page.getByRole('link', { name: 'By last activity' }).click();
  if (javaScriptEnabled !== false) {
    await expect(page.locator('.progress')).toHaveCSS('opacity', '1');
    letThrough();
  }
  await expect(page.getByRole('link', { name: 'By last activity' })).toHaveAttribute('aria-current', 'true');
  await expect(page.locator('.progress')).toHaveCount(0);
});

test("an invitation's link is copied from the notice", async ({ page, context, javaScriptEnabled }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await enter(page, ingrid, nordlys, 'users');
  const { email } = stranger();
  await sendInvitation(page, { email, permissions: ['See invoices'] });
  const field = page.getByLabel(`Link for ${email}`, { exact: true });
  await expect(field).toHaveValue(/\/invitations\//);
  const button = page.getByRole('button', { name: `Copy link for ${email}` });
  // Without scripts no button could copy: the field is there.
  if (javaScriptEnabled === false) return expect(button).toHaveCount(0);
  await button.click();
  await expect(page.getByRole('button', { name: `Copied: link for ${email}` })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await field.inputValue());
});

test('where the browser lets no button copy, the link is selected', async ({ page, javaScriptEnabled }) => {
  await page.addInitScript(() => {
    Clipboard.prototype.writeText = () => Promise.reject(new Error('not here'));
  });
  await enter(page, ingrid, nordlys, 'users');
  const { email } = stranger();
  await sendInvitation(page, { email, permissions: ['See invoices'] });
  const field = page.getByLabel(`Link for ${email}`, { exact: true });
  if (javaScriptEnabled === false) return expect(field).toBeVisible();
  await page.getByRole('button', { name: `Copy link for ${email}` }).click();
  await expect(page.getByText("Your browser doesn't let us copy")).toBeVisible();
  await expect(field).toBeFocused();
  await expect(page.getByRole('button', { name: `Copy link for ${email}` })).toBeVisible();
});

test('a password can be looked at where scripts run', async ({ page, javaScriptEnabled }) => {
  const look = async (label: string) => {
    const field = page.getByLabel(label, { exact: true });
    const beside = page.locator('.field', { has: field });
    await field.fill('a lamp beside the window');
    const show = beside.getByRole('button', { name: 'Show password' });
    if (javaScriptEnabled === false) return expect(show).toHaveCount(0);
    await show.click();
    await expect(field).toHaveAttribute('type', 'text');
    await expect(field).toHaveValue('a lamp beside the window');
    await beside.getByRole('button', { name: 'Hide password' }).click();
    await expect(field).toHaveAttribute('type', 'password');
  };
  await page.goto('/sign-in');
  await look('Password');
  await enter(page, ingrid, nordlys);
  await page.goto('/security');
  await look('New password');
});
