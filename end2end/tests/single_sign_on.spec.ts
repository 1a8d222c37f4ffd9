import { expectAccessible, expectToFit } from '../story/accessible';
import { amira, bjorn, ingrid, nordlys, type Person } from '../story/people';
import { announcement, enter, fillSignIn, heading, inAccount, mailsTo, ownName, signInByForm, signOut } from '../story/steps';
import { expect, test } from '../story/test';
import type { Page } from '@playwright/test';

test.use({ story: 'single sign-on', identityProvider: 'own', refusals: [401, 403, 409, 422] });

const there = inAccount(nordlys, 'single-sign-on');

/** Says at the company's identity provider who one is, and comes back. */
async function sayWho(page: Page, { email }: Person) {
  await expect(heading(page, 'Who are you?')).toBeVisible();
  await page.getByLabel('Your address here').fill(email);
  await page.getByRole('button', { name: 'Go back' }).click();
}

/** From the sign-in page to the company's. */
async function signInWithCompany(page: Page, person: Person) {
  await page.getByRole('link', { name: 'Sign in with your company' }).click();
  await expect(heading(page, 'Sign in with your company')).toBeVisible();
  await page.getByLabel('Email address').fill(person.email);
  await page.getByRole('button', { name: 'Continue' }).click();
}

test('owners set single sign-on up, try it and require it', async ({
  page,
  latchkey,
  someoneElse,
  javaScriptEnabled,
}) => {
  test.slow();
  const { company } = latchkey;
  if (!company) throw new Error('This story needs a company');
  await enter(page, ingrid, nordlys, 'policy');
  await page.getByRole('link', { name: 'Set up single sign-on' }).click();
  await expect(heading(page, 'Single sign-on')).toBeVisible();
  await expect(page.getByText('Prove a domain and save an identity provider first')).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);

  // A domain is proven by its record.
  const domain = page.getByLabel('Domain', { exact: true });
  const add = page.getByRole('button', { name: 'Add domain' });
  await domain.fill('not a domain');
  await add.click();
  await expect(domain).toHaveAccessibleDescription(/Enter one domain/);
  await expect(domain).toHaveValue('not a domain');
  await domain.fill('nordlys.example');
  await add.click();
  await expect(announcement(page, 'nordlys.example added')).toBeVisible();
  const record = page.getByRole('article').filter({ hasText: 'nordlys.example' });
  await expect(record.getByText('Not proven yet')).toBeVisible();
  const check = record.getByRole('button', { name: 'Check record of nordlys.example' });
  await check.click();
  await expect(page.getByText("The record of nordlys.example isn't there")).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  const codes = await record.locator('code').allTextContents();
  company.nameServer.holds('_latchkey-challenge.nordlys.example', codes.at(-1) ?? '');
  expect(codes).toContain('_latchkey-challenge.nordlys.example');
  if (javaScriptEnabled !== false) {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await record.getByRole('button', { name: 'Copy: Value, nordlys.example' }).click();
    await expect(record.getByRole('button', { name: 'Copied: Value, nordlys.example' })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(codes.at(-1));
  }
  await check.click();
  await expect(announcement(page, 'nordlys.example is proven to be yours')).toBeVisible();

  // The provider must answer.
  const issuer = page.getByLabel('Issuer');
  const save = page.getByRole('button', { name: 'Save identity provider' });
  await issuer.fill('http://127.0.0.1:1');
  await page.getByLabel('Client ID').fill(company.client);
  await page.getByLabel('Client secret').fill(company.secret);
  await save.click();
  await expect(issuer).toHaveAccessibleDescription(/Nothing answers there/);
  await expect(issuer).toHaveValue('http://127.0.0.1:1');
  await issuer.fill(company.issuer);
  await page.getByLabel('Client secret').fill(company.secret);
  await save.click();
  await expect(announcement(page, 'Identity provider saved')).toBeVisible();

  // Who requires it of others has signed in that way.
  await page.getByRole('button', { name: 'Sign in with 127.0.0.1' }).click();
  await sayWho(page, ingrid);
  await expect(heading(page, 'Link 127.0.0.1 to your login?')).toBeVisible();
  await expect(page.getByText(`opens ${nordlys.name} for you`)).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Link 127.0.0.1' }).click();
  await expect(announcement(page, '127.0.0.1 is linked to your login')).toBeVisible();
  await expect(page.getByText('You have signed in with it, so it works')).toBeVisible();
  await page.getByRole('button', { name: 'Require single sign-on' }).click();
  await expect(announcement(page, 'Single sign-on is required now')).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);

  // What it hangs on stays; a new secret can be saved.
  await expect(page.getByText('Remove identity provider')).toHaveCount(0);
  await expect(record.getByText('Remove')).toHaveCount(0);
  await expect(issuer).not.toBeEditable();
  await page.getByLabel('Client secret').fill(company.secret);
  await save.click();
  await expect(announcement(page, 'Identity provider saved')).toBeVisible();

  // It is required of the company's people, and of nobody else.
  const theirs = await someoneElse();
  await theirs.goto(`/sign-in?next=${inAccount(nordlys, 'services')}`);
  await fillSignIn(theirs, amira);
  await expect(heading(theirs, "This account opens with your company's sign-in")).toBeVisible();
  await expectAccessible(theirs);
  await theirs.getByRole('link', { name: 'Sign in with your company' }).click();
  await expect(theirs.getByLabel('Email address')).toHaveValue(amira.email);
  await expectAccessible(theirs);
  await theirs.getByRole('button', { name: 'Continue' }).click();
  await sayWho(theirs, amira);
  await theirs.getByRole('button', { name: 'Link 127.0.0.1' }).click();
  await expect(heading(theirs, 'Services')).toBeVisible();
  await signOut(theirs, amira);

  const other = await someoneElse();
  await signInByForm(other, bjorn);
  await other.goto(inAccount(nordlys, 'billing'));
  await expect(heading(other, 'Billing')).toBeVisible();

  // From then on without the password, and for this account alone.
  await theirs.goto('/sign-in');
  await signInWithCompany(theirs, amira);
  await expect(ownName(theirs, amira)).toBeVisible();
  await expect(theirs).toHaveURL(new RegExp(`${inAccount(nordlys)}$`));
  await theirs.goto('/security');
  await expect(heading(theirs, 'Confirm that it is you')).toBeVisible();
  await expect(theirs.getByText("opens your company's account only")).toBeVisible();
  await theirs.getByLabel('Password', { exact: true }).fill(amira.password);
  await theirs.getByRole('button', { name: 'Continue', exact: true }).click();
  await expect(heading(theirs, 'Security')).toBeVisible();
  await expect(theirs.getByRole('table', { name: 'Linked sign-ins' })).toContainText('127.0.0.1');

  await page.goto(there);
  await page.getByRole('button', { name: 'No longer require it' }).click();
  await expect(announcement(page, 'Single sign-on is no longer required')).toBeVisible();
  await page.getByText('Remove identity provider').click();
  await page.getByRole('button', { name: 'Yes, remove it' }).click();
  await expect(announcement(page, 'Identity provider removed')).toBeVisible();
  await expect(async () => {
    await page.goto('/demo/mailbox');
    await expect(mailsTo(page, ingrid.email, 'The security rules of')).toHaveCount(5, { timeout: 500 });
  }).toPass({ timeout: 20_000 });
});

test('an address of no such company is told what to do', async ({ page }) => {
  await page.goto('/sign-in/single-sign-on');
  await page.getByLabel('Email address').fill(bjorn.email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByLabel('Email address')).toHaveAccessibleDescription(/No company here/);
  await expect(page.getByLabel('Email address')).toHaveValue(bjorn.email);
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('link', { name: 'Sign in with a password' }).click();
  await expect(heading(page, 'Sign in')).toBeVisible();
});
