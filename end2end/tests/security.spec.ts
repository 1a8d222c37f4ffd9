import { expectAccessible, expectToFit } from '../story/accessible';
import { codeOf, turnAppOn } from '../story/authenticator';
import { amira, bjorn, ingrid, nordlys, olav, stranger, tom } from '../story/people';
import {
  announcement,
  enter,
  expectProblem,
  fillSignIn,
  heading,
  mailsTo,
  openInviteForm,
  ownName,
  signInByForm,
  signOut,
  tick,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'security', refusals: [401, 422] });

test('an authenticator app is turned on, asked for, and turned off', async ({ page, javaScriptEnabled }) => {
  await signInByForm(page, tom);
  const { key, codes } = await turnAppOn(page);
  expect(codes).toHaveLength(10);
  await expect(page.getByRole('link', { name: 'Download the codes' })).toHaveAttribute('download', /\.txt$/);
  await expectAccessible(page);
  await expectToFit(page);
  // What only a script can do is there where one runs.
  const [copy, print] = ['Copy the codes', 'Print'].map((name) => page.getByRole('button', { name, exact: true }));
  if (!copy || !print) throw new Error('There are two');
  if (javaScriptEnabled === false) {
    await expect(copy).toBeHidden();
    await expect(print).toBeHidden();
  } else {
    await expect(print).toBeVisible();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await copy.click();
    await expect(page.getByRole('button', { name: 'Copied', exact: true })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(codes.join('\n'));
  }
  await signOut(page, tom);

  await page.goto('/sign-in');
  await fillSignIn(page, tom);
  await expect(heading(page, 'Second factor')).toBeVisible();
  await page.getByText("I don't have my app").click();
  await expect(page.getByRole('link', { name: 'help@provider.example' }).first()).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  const code = page.getByLabel('Code', { exact: true });
  await code.fill('12345');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectProblem(page, code, /6 digits/);
  await code.fill(codeOf(key, 1));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(ownName(page, tom)).toBeVisible();

  await page.goto('/security');
  await expect(page.getByText('10 left')).toBeVisible();
  await page.getByRole('link', { name: 'Turn the app off' }).click();
  await expect(heading(page, 'Turn the authenticator app off?')).toBeVisible();
  await page.getByLabel('Code', { exact: true }).fill(codes[0] ?? '');
  await page.getByRole('button', { name: 'Turn off' }).click();
  await expect(announcement(page, 'Your authenticator app is off')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Set up an authenticator app' })).toBeVisible();
});

test('a recovery code opens once, and User management shows who has a second factor', async ({ page, someoneElse }) => {
  await signInByForm(page, bjorn);
  const { codes } = await turnAppOn(page);
  const theirs = await someoneElse();
  await theirs.goto('/sign-in');
  await fillSignIn(theirs, bjorn);
  await theirs.getByLabel('Code', { exact: true }).fill((codes[1] ?? '').toLowerCase().replaceAll('-', ' '));
  await theirs.getByRole('button', { name: 'Continue' }).click();
  await expect(ownName(theirs, bjorn)).toBeVisible();
  await theirs.goto('/security');
  await expect(theirs.getByText('9 left')).toBeVisible();

  await enter(page, ingrid, nordlys, 'users');
  const row = page.getByRole('table', { name: 'Users', exact: true }).getByRole('row').filter({ hasText: bjorn.name });
  await expect(row).toContainText('On');
});

test('setting an app up is accessible and fits', async ({ page }) => {
  await signInByForm(page, olav);
  await page.goto('/security');
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
  await expect(heading(page, 'Set up an authenticator app')).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
});

test('a device is signed out from another, and a new one is told by mail', async ({ page, someoneElse }) => {
  await signInByForm(page, amira);
  const theirs = await someoneElse();
  await signInByForm(theirs, amira);
  await page.goto('/security');
  await expect(page.getByText('This device')).toBeVisible();
  await page.getByRole('button', { name: /^Sign out Chrome on / }).click();
  await expect(announcement(page, 'Signed out on that device')).toBeVisible();
  await theirs.goto('/security');
  await expect(heading(theirs, 'Sign in')).toBeVisible();

  await expect(async () => {
    await page.goto('/demo/mailbox');
    await expect(mailsTo(page, amira.email, 'New sign-in')).toHaveCount(1, { timeout: 500 });
  }).toPass({ timeout: 20_000 });
});

test('the page that asks who one is takes over a form of the WASM', async ({ page, javaScriptEnabled }) => {
  await enter(page, ingrid, nordlys, 'users');
  // As the server answers after ten minutes: it asks for the password before it takes the form.
  let asked = 0;
  await page.route('**/users/invite', async (route) => {
    if (route.request().method() !== 'POST' || (asked += 1) > 1 || javaScriptEnabled === false) return route.continue();
    await route.fulfill({ status: 401, contentType: 'application/json', body: '[["confirm","Confirm first that it is you."]]' });
  });
  const { email } = stranger();
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(email);
  await tick(form, ['See invoices']);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
  expect(asked).toBe(javaScriptEnabled === false ? 1 : 2);
});
