import { fjordPixel, ingrid, mei, nordlys } from '../story/people';
import { accountMenu, enter, heading, inAccount, ownName, signIn } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'accounts' });

test('whoever reaches several accounts chooses, and sees what each one is to them', async ({ page }) => {
  await signIn(page, mei);
  await page.goto('/accounts');
  await expect(heading(page, 'Choose an account')).toBeVisible();
  const main = page.getByRole('main');
  await expect(main).toContainText(nordlys.number);
  await expect(main).toContainText(fjordPixel.number);
  await expect(main).toContainText('Owner');
  await expect(main).toContainText('Domains: see and manage');
  await main.getByRole('link', { name: fjordPixel.name }).click();
  await expect(heading(page, fjordPixel.name)).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`${inAccount(fjordPixel)}$`));
});

test('whoever has just one account is taken into it', async ({ page }) => {
  await signIn(page, ingrid);
  await page.goto('/accounts');
  await expect(heading(page, nordlys.name)).toBeVisible();
});

test('the account menu switches accounts', async ({ page }) => {
  await enter(page, mei, nordlys);
  await ownName(page, mei).click();
  await accountMenu(page).getByRole('link', { name: 'Switch account' }).click();
  await expect(heading(page, 'Choose an account')).toBeVisible();
});

test('the header says in which account you act', async ({ page }) => {
  for (const account of [nordlys, fjordPixel]) {
    await enter(page, mei, account, 'services');
    await expect(page.getByRole('banner')).toContainText(account.name);
  }
});

test("somebody else's account and one that doesn't exist look the same", async ({ page }) => {
  const seen: string[] = [];
  for (const number of [fjordPixel.number, '999999']) {
    await signIn(page, ingrid);
    const answer = await page.goto(`/accounts/${number}`);
    expect(answer?.status()).toBe(404);
    await expect(page.getByRole('main')).not.toContainText(fjordPixel.name);
    seen.push((await page.getByRole('main').innerText()).replaceAll(number, 'N'));
  }
  expect(seen[0]).toBe(seen[1]);
});
