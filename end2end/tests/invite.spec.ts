import { amira, bjorn, ingrid, mei, nordlys, stranger } from '../story/people';
import { areas, permissions } from '../story/permissions';
import {
  announcement,
  enter,
  expectProblem,
  heading,
  inAccount,
  invitationsTable,
  openInviteForm,
  readMail,
  rowOf,
  sendInvitation,
  tick,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'invite', refusals: [403, 409, 422] });

test('the form offers every permission, nothing ticked', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  await expect(heading(page, 'Invite new user')).toBeVisible();
  for (const area of areas) {
    const group = page.getByRole('group', { name: area });
    await expect(group.getByRole('checkbox', { name: `All of ${area}` })).not.toBeChecked();
    for (const label of permissions[area]) {
      await expect(group.getByRole('checkbox', { name: label })).not.toBeChecked();
      await expect(group.getByRole('checkbox', { name: label })).toBeEnabled();
    }
  }
  await expect(page.getByRole('main')).toContainText(/only/i);
});

test('a sent invitation is pending, with what it grants and who sent it', async ({ page }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users');
  await sendInvitation(page, { email, permissions: ['See domains', 'Manage domains and DNS'] });
  await expect(heading(page, 'User management')).toBeVisible();
  const row = rowOf(invitationsTable(page), email);
  await expect(row).toContainText('Domains: see and manage');
  await expect(row).toContainText(ingrid.name);
  const resend = row.getByRole('button', { name: `Resend invitation to ${email}` });
  await expect(resend).toBeVisible();
  await expect(resend).not.toHaveCSS('border-top-color', 'rgba(0, 0, 0, 0)');
  await expect(row.getByRole('button', { name: `Cancel invitation to ${email}` })).toBeVisible();
  await readMail(page, email, nordlys.name);
  await expect(async () => {
    await page.goto(inAccount(nordlys, 'users'));
    await expect(row).toContainText(/sent/i, { timeout: 500 });
  }).toPass();
});

test('a right brings what it implies', async ({ page }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users/invite');
  await page.getByLabel('Email address').fill(email);
  await tick(page.getByRole('main'), ['Pay invoices']);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
  await expect(rowOf(invitationsTable(page), email)).toContainText('Billing: see and pay');
});

test('a whole area can be ticked at once', async ({ page, javaScriptEnabled }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users/invite');
  // What follows the ticks is said only where something follows them.
  const isFollowed = javaScriptEnabled !== false;
  await expect(page.getByText('Nothing is ticked yet')).toBeVisible({ visible: isFollowed });
  await page.setViewportSize({ width: 390, height: 800 });
  const counted = page.locator('.access-bar > .form-actions').evaluate((bar) => getComputedStyle(bar, '::before').content);
  expect((await counted).includes('counter(ticked)')).toBe(isFollowed);
  await page.getByLabel('Email address').fill(email);
  await page.getByRole('checkbox', { name: 'All of Support requests' }).check();
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
  await expect(rowOf(invitationsTable(page), email)).toContainText(/Support requests: see/);
});

test('the form comes back with the problem and with what was entered', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  const email = page.getByLabel('Email address');
  await email.fill('not-an-address@');
  await tick(page.getByRole('main'), ['See services', 'See invoices']);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expectProblem(page, email, /e-?mail address/i);
  await expect(email).toHaveValue('not-an-address@');
  await expect(page.getByRole('checkbox', { name: 'See services' })).toBeChecked();
  await expect(page.getByRole('checkbox', { name: 'See invoices' })).toBeChecked();
  await expect(page.getByRole('checkbox', { name: 'Pay invoices' })).not.toBeChecked();
});

test('somebody who is a user already is not invited again', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  await page.getByLabel('Email address').fill(bjorn.email.toUpperCase());
  await tick(page.getByRole('main'), ['See services']);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expectProblem(page, page.getByLabel('Email address'), /already/i);
});

test('nobody grants what they do not hold', async ({ page }) => {
  await enter(page, amira, nordlys, 'users/invite');
  const main = page.getByRole('main');
  await expect(main.getByRole('checkbox', { name: 'Manage services' })).toBeEnabled();
  await expect(main.getByRole('checkbox', { name: 'See invoices' })).toBeEnabled();
  for (const label of ['See domains', 'Pay invoices', 'See service passwords', 'See the activity log']) {
    await expect(main.getByRole('checkbox', { name: label })).toBeDisabled();
  }
});

test('a form that was tampered with grants nothing more', async ({ page }) => {
  const { email } = stranger();
  await enter(page, amira, nordlys, 'users/invite');
  await page.getByLabel('Email address').fill(email);
  const forbidden = page.getByRole('checkbox', { name: 'See domains' });
  await forbidden.evaluate((box: HTMLInputElement) => {
    box.disabled = false;
    box.checked = true;
  });
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(page.getByRole('heading', { name: /There is a problem|You don't have access/ })).toBeVisible();
  await page.goto(inAccount(nordlys, 'users'));
  await expect(invitationsTable(page)).toBeVisible();
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(0);
});

test('the form opens over the list and follows every tick; without JavaScript it is a page', async ({ page, javaScriptEnabled }) => {
  await enter(page, ingrid, nordlys, 'users');
  if (javaScriptEnabled === false) {
    await openInviteForm(page);
    await expect(page).toHaveURL(new RegExp(`${inAccount(nordlys, 'users/invite')}$`));
    return;
  }
  const dialog = page.getByRole('dialog', { name: 'Invite new user' });
  const opener = page.getByRole('link', { name: 'Invite new user' }).or(page.getByRole('button', { name: 'Invite new user' }));
  // Before the page has come alive the same click leads to the form's own page.
  await expect(async () => {
    await page.goto(inAccount(nordlys, 'users'));
    await page.waitForLoadState('networkidle');
    await opener.click();
    await expect(dialog).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await dialog.getByRole('checkbox', { name: 'Manage services' }).check();
  await expect(dialog.getByRole('checkbox', { name: 'See services' })).toBeChecked();
  await expect(dialog).toContainText(/will be able to manage services/);
  await dialog.getByRole('checkbox', { name: 'See services' }).uncheck();
  await expect(dialog.getByRole('checkbox', { name: 'Manage services' })).not.toBeChecked();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(opener).toBeFocused();
});

test('what was typed into the dialog is not thrown away unasked', async ({ page, javaScriptEnabled }) => {
  await enter(page, ingrid, nordlys, 'users');
  if (javaScriptEnabled !== false) await expect(page.locator('#page[data-alive]')).toHaveCount(1);
  const form = await openInviteForm(page);
  const email = form.getByLabel('Email address');
  await email.fill('kari@');
  // Without scripts it is a page of its own.
  if (javaScriptEnabled === false) return expect(page).toHaveURL(/\/users\/invite$/);
  const dialog = page.getByRole('dialog', { name: 'Invite new user' });
  const ways = [
    () => page.keyboard.press('Escape'),
    () => page.keyboard.press('Escape'),
    () => dialog.getByRole('button', { name: 'Close', exact: true }).click(),
    () => page.mouse.click(5, 5),
  ];
  for (const close of ways) {
    const asked = page.waitForEvent('dialog');
    const closing = close();
    const question = await asked;
    expect(question.message()).toBe('What you entered here will be lost. Go on all the same?');
    await question.dismiss();
    await closing;
    await expect(email).toHaveValue('kari@');
  }
  page.once('dialog', (question) => question.accept());
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('a preset fills in the form: at once as it is chosen, without JavaScript by a button', async ({ page, javaScriptEnabled }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users');
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(email);
  await form.getByLabel('Until', { exact: true }).fill(new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10));
  await tick(form, ['See domains']);
  await form.getByLabel('Start from', { exact: true }).selectOption({ label: 'Bookkeeper' });
  const fillIn = form.getByRole('button', { name: 'Fill in', exact: true });
  if (javaScriptEnabled === false) await fillIn.click();
  else await expect(fillIn).toBeHidden();
  await expect(form).toContainText('Filled in: Bookkeeper');
  for (const label of ['See invoices', 'Pay invoices']) {
    await expect(form.getByRole('checkbox', { name: label })).toBeChecked();
  }
  await expect(form.getByRole('checkbox', { name: 'See domains' })).not.toBeChecked();
  await expect(form).toContainText(/will be able to pay invoices/);
  await expect(form.getByLabel('Email address')).toHaveValue(email);
  await expect(form.getByLabel('Until', { exact: true })).not.toHaveValue('');
  await form.getByLabel('Start from', { exact: true }).selectOption({ label: `Same as ${mei.name}` });
  if (javaScriptEnabled === false) await fillIn.click();
  await expect(form.getByRole('checkbox', { name: 'Manage domains and DNS' })).toBeChecked();
  await expect(form.getByRole('checkbox', { name: 'Pay invoices' })).not.toBeChecked();
  await tick(form, ['See support requests']);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
  await expect(rowOf(invitationsTable(page), email)).toContainText('Support requests: see');
});
