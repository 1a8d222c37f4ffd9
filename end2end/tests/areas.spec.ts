import { amira, bjorn, fjordPixel, ingrid, mei, nordlys, tom } from '../story/people';
import { rooms, type Room } from '../story/permissions';
import { enter, expectOpen, expectRefused, inAccount, signIn } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'areas' });

const everything = rooms.map((room) => room.heading);

const doors: { person: typeof ingrid; account: typeof nordlys; open: readonly Room[] }[] = [
  { person: ingrid, account: nordlys, open: everything },
  { person: amira, account: nordlys, open: ['Services', 'Billing', 'User management'] },
  { person: bjorn, account: nordlys, open: ['Billing'] },
  { person: mei, account: nordlys, open: ['Services', 'Domains'] },
  { person: mei, account: fjordPixel, open: everything },
  { person: tom, account: fjordPixel, open: ['Services', 'Support requests'] },
];

for (const { person, account, open } of doors) {
  test(`${person.name} in ${account.name}: open are ${open.join(', ')}`, async ({ page }) => {
    await signIn(page, person);
    for (const room of rooms) {
      if (open.includes(room.heading)) await expectOpen(page, account, room);
      else await expectRefused(page, account, room);
    }
    await page.goto(inAccount(account));
    const navigation = page.getByRole('navigation', { name: 'Account', exact: true });
    for (const area of ['Services', 'Domains', 'Billing', 'Support requests'] as const) {
      await expect(navigation.getByRole('link', { name: area })).toHaveCount(open.includes(area) ? 1 : 0);
    }
  });
}

test('the navigation leads into each area', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  for (const area of ['Services', 'Domains', 'Billing', 'Support requests']) {
    await page.getByRole('navigation', { name: 'Account', exact: true }).getByRole('link', { name: area }).click();
    await expect(page.getByRole('heading', { level: 1, name: area, exact: true })).toBeVisible();
  }
});
