import { expectAccessible, expectToFit } from '../story/accessible';
import { bjorn, tom } from '../story/people';
import { announcement, expectProblem, fillSignIn, heading, ownName, readMail, signInByForm } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'email', refusals: [422] });

test('an address is changed by a link to the new one and taken back by a link to the old one', async ({ page, someoneElse }) => {
  const email = 'tom@elsewhere.example';
  await signInByForm(page, tom);
  await page.goto('/profile');
  await page.getByRole('link', { name: 'Change your email address' }).click();
  await expect(heading(page, 'Change your email address')).toBeVisible();
  const field = page.getByLabel('New email address');
  await field.fill(tom.email);
  await page.getByRole('button', { name: 'Send link' }).click();
  await expectProblem(page, field, /is your email address already/);
  await field.fill(email);
  await page.getByRole('button', { name: 'Send link' }).click();
  await expect(announcement(page, `We sent a link to ${email}`)).toBeVisible();

  const link = await readMail(page, email, 'Confirm your email address', 1, '/email/confirm/');
  await page.goto(link);
  await expect(heading(page, 'Confirm your email address')).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('button', { name: `Confirm ${email}` }).click();
  await expect(announcement(page, `${email} is confirmed`)).toBeVisible();

  const theirs = await someoneElse();
  const back = await readMail(theirs, tom.email, 'has another email address', 1, '/email/undo/');
  await theirs.goto(back);
  await expect(heading(theirs, 'Put your email address back?')).toBeVisible();
  await expectAccessible(theirs);
  await expectToFit(theirs);
  await theirs.getByRole('button', { name: 'Put the address back' }).click();
  await expect(announcement(theirs, `You sign in with ${tom.email} again`)).toBeVisible();
  const password = 'a window beside the lamp';
  await theirs.getByLabel('New password', { exact: true }).fill(password);
  await theirs.getByRole('button', { name: 'Change password' }).click();
  await fillSignIn(theirs, { email: tom.email, password });
  await expect(ownName(theirs, tom)).toBeVisible();
  await page.goto('/profile');
  await expect(heading(page, 'Sign in')).toBeVisible();
});

test('a password that would be guessed soon is refused with the reason', async ({ page }) => {
  await signInByForm(page, bjorn);
  await page.goto('/security');
  await page.getByLabel('Current password').fill(bjorn.password);
  const chosen = page.getByLabel('New password', { exact: true });
  await chosen.fill('passwordpassword');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expectProblem(page, chosen, /repeats the same/);
});
