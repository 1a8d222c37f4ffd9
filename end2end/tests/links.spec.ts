import { expectAccessible, expectToFit } from '../story/accessible';
import { bjorn, ingrid, nordlys } from '../story/people';
import { enter, heading, openManageAccess } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'links' });

test('an invoice that is open is paid where the provider says', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'billing');
  const invoices = page.getByRole('table', { name: 'Invoices' });
  const pay = invoices.getByRole('link', { name: 'Pay invoice 2026-1187', exact: true });
  await expect(pay).toHaveText('Pay');
  await expect(pay).toHaveAttribute('href', 'https://example.com/pay/2026-1187');
  await expect(invoices.getByRole('link', { name: 'PDF of invoice 2026-0911', exact: true })).toBeVisible();
  await expect(invoices.getByRole('link', { name: 'Pay invoice 2026-0911', exact: true })).toHaveCount(0);
  // The browser goes there itself, whether the page came to life or not.
  await page.route('https://example.com/**', (route) => route.fulfill({ body: 'Paid here' }));
  await pay.click();
  await expect(page).toHaveURL('https://example.com/pay/2026-1187');
});

test("through somebody else's eyes the button is there and leads nowhere", async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, bjorn);
  await page.getByRole('link', { name: `See it as ${bjorn.name}`, exact: true }).click();
  await expect(page.getByRole('region', { name: `Seeing as ${bjorn.name}`, exact: true })).toBeVisible();
  await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Billing', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Pay invoice 2026-1187', exact: true })).toBeDisabled();
  await expectAccessible(page);
  await expectToFit(page);
});

test('a support request is opened from the list, and answered where the provider says', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'support');
  await page.getByRole('link', { name: 'Moving the old website to the new shop', exact: true }).click();
  await expect(heading(page, 'Moving the old website to the new shop')).toBeVisible();
  await expect(page.getByRole('main')).toContainText('No messages yet.');
  const open = page.getByRole('link', { name: 'Open request S-5031', exact: true });
  await expect(open).toHaveAttribute('href', 'https://example.com/answer/s-5031');
  await expectAccessible(page);
  await expectToFit(page);
});
