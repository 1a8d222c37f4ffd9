import type { Locator, Page } from '@playwright/test';
import { expectAccessible, expectToFit } from '../story/accessible';
import { amira, bjorn, fjordPixel, ingrid, mei, nordlys, olav, stranger, type Person } from '../story/people';
import {
  accountMenu,
  enter,
  inAccount,
  invite,
  openInviteForm,
  openManageAccess,
  ownName,
  pauseAccess,
  sendInvitation,
  signIn,
} from '../story/steps';
import { expect, test } from '../story/test';
import { languages } from '../story/words';

test.use({ story: 'accessibility', refusals: [422] });

const pages = [
  ['the overview', inAccount(nordlys)],
  ['user management', inAccount(nordlys, 'users')],
  ['the form to invite', inAccount(nordlys, 'users/invite')],
  ['who has a permission', inAccount(nordlys, 'users/permissions/services.view')],
  ['services', inAccount(nordlys, 'services')],
  ['domains', inAccount(nordlys, 'domains')],
  ['billing', inAccount(nordlys, 'billing')],
  ['support requests', inAccount(nordlys, 'support')],
  ['account details', inAccount(nordlys, 'account')],
  ['the activity log', inAccount(nordlys, 'log')],
  ['single sign-on', inAccount(nordlys, 'single-sign-on')],
  ['stepping down as an owner', inAccount(nordlys, 'step-down')],
  ['naming a successor', inAccount(nordlys, 'owners/successor')],
  ['signing in with a company', '/sign-in/single-sign-on'],
  ['the profile', '/profile'],
  ['deleting the login', '/profile/delete'],
  ['the form for another address', '/profile/email'],
  ['security', '/security'],
  ['the guide', `/help/users?account=${nordlys.number}&email=nobody%40elsewhere.example`],
  ['the guides', '/help'],
  ['a short guide', '/help/security'],
  ['the mailbox', '/demo/mailbox'],
  ['a page that is not there', inAccount(nordlys, 'nothing-here')],
] as const;

/** Comes to the same elements with scripts and without (changed_pages.spec.ts): looked at once. */
const LOOKS = { tag: '@looks' };

// In lots that sign in once; the report names the page.
const LOTS = 4;
for (let lot = 0; lot < LOTS; lot += 1) {
  const some = pages.filter((_, place) => place % LOTS === lot);
  test(`pages are accessible and fit (${lot + 1} of ${LOTS})`, LOOKS, async ({ page }) => {
    test.slow();
    await signIn(page, ingrid);
    for (const [name, path] of some) {
      await test.step(name, async () => {
        await page.goto(path);
        await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
        await expectAccessible(page);
        await expectToFit(page);
      });
    }
  });
}

test('the sign-in page is accessible and fits', LOOKS, async ({ page }) => {
  await page.goto('/sign-in');
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  await expectAccessible(page);
  await expectToFit(page);
});

test('the choice of accounts is accessible and fits', LOOKS, async ({ page }) => {
  await signIn(page, mei);
  await page.goto('/accounts');
  await expectAccessible(page);
  await expectToFit(page);
});

test('the refused page is accessible and fits', LOOKS, async ({ page }) => {
  await enter(page, bjorn, nordlys, 'users');
  await expectAccessible(page);
  await expectToFit(page);
});

test('asking for access, and how that stands, is accessible and fits', LOOKS, async ({ page, someoneElse }) => {
  await enter(page, bjorn, nordlys, 'ask?permission=domains.view');
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByLabel('Why').fill('The domains of the shop');
  await page.getByRole('button', { name: 'Ask for this', exact: true }).click();
  await expect(page.getByRole('heading', { name: "What you can't open yet" })).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  const theirs = await someoneElse();
  await enter(theirs, ingrid, nordlys, 'users');
  await expect(theirs.getByRole('table', { name: 'Requests' })).toBeVisible();
  await expectAccessible(theirs);
  await expectToFit(theirs);
  await theirs.getByRole('button', { name: `Decline for ${bjorn.name}` }).click();
  await expect(theirs.getByLabel(`Words to ${bjorn.name}`)).toBeVisible();
  await expectAccessible(theirs);
  await expectToFit(theirs);
});

test('managing access is accessible and fits', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, mei);
  await page.getByRole('radiogroup', { name: 'Which services?' }).getByRole('radio', { name: 'Only these' }).check();
  await expectAccessible(page);
  await expectToFit(page);
});

test('the form for extra access, and what it gave, are accessible and fit', LOOKS, async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, mei);
  await page.getByRole('link', { name: 'Give extra access', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: `Extra access for ${mei.name}` })).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('checkbox', { name: 'See invoices' }).check();
  await page.getByRole('button', { name: 'Give extra access', exact: true }).click();
  await expect(page.getByRole('heading', { level: 2, name: 'Extra access', exact: true })).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
});

test('pausing access, and the account that it closes, are accessible and fit', LOOKS, async ({ page, someoneElse }) => {
  const theirs = await someoneElse();
  await enter(theirs, amira, nordlys);
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, amira);
  await pauseAccess(page, amira);
  await theirs.reload();
  await expect(theirs.getByRole('heading', { level: 1, name: 'Your access is paused' })).toBeVisible();
  for (const one of [page, theirs]) {
    await expectAccessible(one);
    await expectToFit(one);
  }
});

for (const area of ['services', 'domains']) {
  test(`one of the ${area}, and who can reach it, is accessible and fits`, LOOKS, async ({ page }) => {
    await enter(page, ingrid, nordlys, area);
    await page.getByRole('table').getByRole('link').first().click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    await expectAccessible(page);
    await expectToFit(page);
    await page.getByRole('link', { name: 'Who can reach this?' }).click();
    await expect(page.getByRole('table', { name: /^Who can reach / })).toBeVisible();
    await expectAccessible(page);
    await expectToFit(page);
  });
}

test('joining is accessible and fits, also when the link is of no use', async ({ page, someoneElse }) => {
  const { email } = stranger();
  const link = await invite(page, ingrid, nordlys, { email, permissions: ['See services'] });
  const theirs = await someoneElse();
  for (const path of [link, '/invitations/there-is-no-such-invitation']) {
    await theirs.goto(path);
    await expectAccessible(theirs);
    await expectToFit(theirs);
  }
});

test('a form with a problem is accessible and fits', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
});

test('the open account menu is accessible', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  await ownName(page, ingrid).click();
  await expect(accountMenu(page).getByRole('link', { name: 'User management', exact: true })).toBeVisible();
  await expectAccessible(page);
});

test("the ways to one's other accounts are accessible", LOOKS, async ({ page }) => {
  await enter(page, mei, nordlys);
  await page.getByRole('banner').getByRole('button', { name: `Switch account: ${nordlys.name}`, exact: true }).click();
  await expect(page.getByRole('banner').getByRole('link', { name: fjordPixel.name })).toBeVisible();
  await expectAccessible(page);
});

test('the form over the list is accessible, and nothing paints over its head', LOOKS, async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await expect(page.locator('#page[data-alive]')).toHaveCount(1);
  const form = await openInviteForm(page);
  await expectAccessible(page);
  await page.setViewportSize({ width: 1280, height: 600 });
  const title = page.getByRole('dialog').getByRole('heading', { name: 'Invite new user', exact: true });
  const painted = await form.getByRole('checkbox').evaluateAll((boxes) => {
    const dialog = boxes[0]?.closest('dialog');
    const head = dialog?.querySelector('.dialog-head')?.getBoundingClientRect();
    if (!dialog || !head) throw new Error('They stand in no dialog');
    // Each of them goes by below the head.
    return boxes.map((box) => {
      dialog.scrollTop += box.getBoundingClientRect().top - head.top - 12;
      const { left, top, width, height } = box.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      const isBelow = y > head.top && y < head.bottom;
      return isBelow ? document.elementFromPoint(x, y)?.closest('.dialog-head')?.className : 'beside it';
    });
  });
  expect(painted).toContain('dialog-head');
  expect(painted).not.toContain(undefined);
  await expect(title).toBeInViewport();
});

test('what corrects an invitation is accessible and fits', LOOKS, async ({ page }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users');
  await sendInvitation(page, { email, permissions: ['See invoices'] });
  await page.getByRole('link', { name: `Change permissions for ${email}`, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: `Change the invitation to ${email}` })).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
});

test('the first Tab offers to skip to the content', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: /^Skip to/ });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#/);
});

function focusInSight(): boolean {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return false;
  const { top, bottom } = focused.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

test('an invitation can be written and sent by keyboard alone, with the focus in sight', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  const email = page.getByLabel('Email address');
  await email.focus();
  await page.keyboard.type(stranger().email);
  const send = page.getByRole('button', { name: 'Send invitation', exact: true });
  const see = page.getByRole('checkbox', { name: 'See services' });
  for (let step = 0; step < 60 && !(await send.evaluate((button) => button === document.activeElement)); step += 1) {
    await page.keyboard.press('Tab');
    // Of the parts of a date's field it has the focus as a whole, and isn't `:focus` where that is its button.
    await expect.poll(() => page.evaluate(focusInSight)).toBe(true);
    if (await see.evaluate((box) => box === document.activeElement)) await page.keyboard.press('Space');
  }
  await expect(send).toBeFocused();
  await expect(see).toBeChecked();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('status').filter({ hasText: 'Invitation sent to' })).toBeVisible();
});

test('the button for sending is in sight, also where there is no room beside the form', LOOKS, async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  await expectInSight(page, page.getByRole('button', { name: 'Send invitation', exact: true }));
});

test('the button for saving is in sight, and so is what it would change', LOOKS, async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, bjorn);
  const save = page.getByRole('button', { name: 'Save changes', exact: true });
  await expect(page.locator('#page[data-alive]')).toHaveCount(1);
  await page.getByRole('checkbox', { name: 'See services' }).check();
  await expectInSight(page, save, page.getByText('New: see services'));
  await page.reload();
  page.once('dialog', (question) => question.accept());
  await page.getByRole('link', { name: 'Give extra access', exact: true }).click();
  await expectInSight(page, page.getByRole('button', { name: 'Give extra access', exact: true }));
});

/** What stays in sight at the top of a page, however wide it is. */
async function expectInSight(page: Page, ...all: Locator[]) {
  for (const width of [390, 1050, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate(() => scrollTo(0, 0));
    for (const one of all) await expect(one).toBeInViewport({ ratio: 1 });
  }
}

test('a long name stays on the screen of a phone', LOOKS, async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, bjorn);
  const heading = page.getByRole('heading', { level: 1 });
  await heading.evaluate((shown) => (shown.textContent = `Manage access for ${'Featherstonehaugh'.repeat(4)}`));
  await page.setViewportSize({ width: 390, height: 800 });
  await expectToFit(page);
});

for (const language of languages) {
  test.describe(`in ${language}`, LOOKS, () => {
    test.use({ locale: language });

    test('addresses and the entries of the navigation stay in one line', async ({ page }) => {
      await page.setViewportSize({ width: 1024, height: 768 });
      await signInWith(page, olav);
      await page.goto(inAccount(nordlys, 'users'));
      for (const texts of ['.person-email', '.areas span']) {
        const lines = await page.locator(texts).evaluateAll((shown) => shown.map((one) => {
          const range = document.createRange();
          range.selectNodeContents(one);
          return new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom))).size;
        }));
        expect(lines.length).toBeGreaterThan(0);
        expect(lines, texts).toEqual(lines.map(() => 1));
      }
    });
  });
}

for (const language of ['nb', 'de'] as const) {
  test.describe(`in ${language}`, LOOKS, () => {
    test.use({ locale: language });

    // The markup is the same in every language, and so are the colours; what differs is how long the words are.
    test('the pages fit', async ({ page }) => {
      test.slow();
      await signInWith(page, olav);
      for (const [, path] of pages) {
        await page.goto(path);
        await expectToFit(page);
      }
    });

    test('signing in and joining are accessible and fit', async ({ page, someoneElse }) => {
      await page.goto('/sign-in');
      await expect(page.locator('html')).toHaveAttribute('lang', language);
      await expectAccessible(page, ['light']);
      await expectToFit(page);
      await enterAsOlav(page, 'users/invite');
      const { email } = stranger();
      await page.locator('#email').fill(email);
      await page.locator('[id="billing.pay"]').check();
      await page.locator('main form .button-primary[type=submit]').click();
      await expect(page.locator('#notice')).toContainText(email);
      await expectAccessible(page, ['light']);
      await expectToFit(page);
      const theirs = await someoneElse();
      await theirs.goto(await page.locator('#copy-link').inputValue());
      await expect(theirs.locator('html')).toHaveAttribute('lang', language);
      await expectAccessible(theirs, ['light']);
      await expectToFit(theirs);
    });

    test('managing, being refused and putting right are accessible and fit', async ({ page, someoneElse }) => {
      await enterAsOlav(page, 'users');
      await page.getByRole('link', { name: mei.name, exact: true }).click();
      await expect(page.getByRole('heading', { level: 1 })).toContainText(mei.name);
      await expectAccessible(page, ['light']);
      await expectToFit(page);
      await page.goto(inAccount(nordlys, 'users/invite'));
      await page.locator('main form .button-primary[type=submit]').click();
      await expect(page.locator('.error-summary')).toBeVisible();
      await expectAccessible(page, ['light']);
      await expectToFit(page);
      const theirs = await someoneElse();
      await signInWith(theirs, bjorn);
      await theirs.goto(inAccount(nordlys, 'users'));
      await expectAccessible(theirs, ['light']);
      await expectToFit(theirs);
    });

    test('asking, giving more, looking and pausing are accessible and fit', async ({ page, someoneElse }) => {
      test.slow();
      const looksRight = async (one: Page) => {
        await expect(one.getByRole('heading', { level: 1 })).toHaveCount(1);
        await expectAccessible(one, ['light']);
        await expectToFit(one);
      };
      // Bjørn asks, unless he did in another language.
      const theirs = await someoneElse();
      await signInWith(theirs, bjorn);
      await theirs.goto(inAccount(nordlys, 'ask?permission=services.view'));
      await looksRight(theirs);
      const ask = theirs.locator('form:has(#why)');
      if ((await ask.count()) > 0) {
        await ask.locator('#why').fill(language);
        await ask.locator('[type=submit]').click();
      }
      await theirs.goto(inAccount(nordlys, 'billing'));
      await expect(theirs.locator('.lacks li').first()).toBeVisible();
      await looksRight(theirs);
      await enterAsOlav(page, 'users');
      await expect(page.locator('#requests tbody tr').first()).toBeVisible();
      await looksRight(page);
      const asked = page.locator('#requests tbody tr').filter({ hasText: bjorn.name });
      await asked.locator('a[href$="#until"]').first().click();
      await expect(page.locator('#until')).toBeFocused();
      await expect(page.locator('[name="permissions[]"]:checked').first()).toBeVisible();
      await looksRight(page);

      // Whom something is open to, and what is open to somebody.
      await page.goto(inAccount(nordlys, 'services'));
      const shop = await page.getByRole('table').getByRole('link').first().getAttribute('href');
      await page.goto(`${shop}/access`);
      await looksRight(page);
      await page.goto(inAccount(nordlys, 'users'));
      await page.getByRole('link', { name: mei.name, exact: true }).click();
      await expect(page.getByRole('heading', { level: 1 })).toContainText(mei.name);
      const manage = page.url();
      await page.goto(`${manage}/reaches/services`);
      await looksRight(page);

      // Through her eyes, and back; then her access is paused, and open again.
      await page.goto(manage);
      await page.locator('.see-it-as button').click();
      await expect(page.locator('section.eyes')).toBeVisible();
      await looksRight(page);
      await page.locator('section.eyes button').click();
      await expect(page.locator('section.eyes')).toHaveCount(0);
      const paused = await someoneElse();
      await signInWith(paused, mei);
      await page.goto(manage);
      await page.locator('form:has(input[value="users/pause-access"]) [type=submit]').click();
      const resume = page.locator('form:has(input[value="users/resume-access"]) [type=submit]');
      await expect(resume).toBeVisible();
      await paused.goto(inAccount(nordlys));
      for (const one of [page, paused]) await looksRight(one);
      await page.goto(manage);
      await resume.click();
      await expect(page.locator('form:has(input[value="users/pause-access"])')).toHaveCount(1);
    });

    async function enterAsOlav(page: Page, path: string) {
      await signInWith(page, olav);
      await page.goto(inAccount(nordlys, path));
    }
  });
}

/** Signs in on a page whose words are in any language. */
async function signInWith(page: Page, person: Person) {
  await page.goto('/sign-in');
  await page.locator('#email').fill(person.email);
  await page.locator('#password').fill(person.password);
  await page.locator('form:has(#password) [type=submit]').click();
  await expect(ownName(page, person)).toBeVisible();
}
