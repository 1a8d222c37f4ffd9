import { ingrid, nordlys, stranger } from '../story/people';
import { enter, heading, invite, mailsTo, readMail, sendInvitation } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'mailbox' });

test('mails lie in the mailbox, newest first', async ({ page }) => {
  const [first, second] = [stranger(), stranger()];
  for (const { email } of [first, second]) {
    await enter(page, ingrid, nordlys, 'users');
    await sendInvitation(page, { email, permissions: ['See services'] });
    await readMail(page, email, nordlys.name);
  }
  await page.goto('/demo/mailbox');
  await expect(heading(page, 'Mailbox')).toBeVisible();
  const text = await page.getByRole('main').innerText();
  expect(text.indexOf(first.email)).toBeGreaterThan(text.indexOf(second.email));
});

test('a mail shows its text with a link that works, its HTML in a sandbox, and its headers', async ({ page, someoneElse }) => {
  const { email } = stranger();
  const link = await invite(page, ingrid, nordlys, { email, permissions: ['See services'] });
  const reader = await someoneElse();
  await reader.goto('/demo/mailbox');
  await mailsTo(reader, email, nordlys.name).first().click();
  const main = reader.getByRole('main');
  await expect(main).toContainText(ingrid.name);
  await expect(main).toContainText('Message-ID');
  const html = main.locator('iframe');
  await expect(html).toHaveAttribute('sandbox', /.*/);
  await expect(html).not.toHaveAttribute('sandbox', /allow-scripts/);
  await main.locator(`a[href="${link}"]`).first().click();
  await expect(heading(reader, `Join ${nordlys.name}`)).toBeVisible();
});
