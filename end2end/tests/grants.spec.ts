// Access on some things only, for a while, and paused: what the form shows of it, and what the person finds.
import type { Locator, Page } from '@playwright/test';
import { ingrid, nordlys, stranger } from '../story/people';
import {
  announcement,
  enter,
  expectOpen,
  heading,
  inAccount,
  joinWithNewLogin,
  openInviteForm,
  openManageAccess,
  pauseAccess,
  permissionsForm,
  readMail,
  saveChanges,
  tick,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'grants', refusals: [403, 422] });

/** So many days from today, as a date field holds it. */
function inDays(days: number): string {
  return new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
}

/** The same as people write it: without the year where that is the present one. */
function inWords(day: string): string {
  const part = (options: Intl.DateTimeFormatOptions) =>
    new Date(day).toLocaleDateString('en-GB', { ...options, timeZone: 'UTC' });
  const year = day.startsWith(`${new Date().getFullYear()}-`) ? undefined : 'numeric';
  return `${part({ weekday: 'long' })}, ${part({ day: 'numeric', month: 'long', year })}`;
}

function whichServices(form: Locator): Locator {
  return form.getByRole('radiogroup', { name: 'Which services?', exact: true });
}

function onlyThese(form: Locator): Locator {
  return whichServices(form).getByRole('radio', { name: 'Only these', exact: true });
}

function service(form: Locator, name: string): Locator {
  return form.getByRole('checkbox', { name, exact: true });
}

/** The services that somebody finds, from wherever they are in the account. */
async function expectServices(page: Page, names: string[]) {
  await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Services', exact: true }).click();
  await expect(heading(page, 'Services')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Services' }).getByRole('link')).toHaveText(names);
}

test('an agency gets one shop for a month, then another; paused, it finds the account closed', async ({
  page,
  someoneElse,
  javaScriptEnabled,
}) => {
  const agency = stranger('Nora Vik');
  const until = inDays(30);
  await enter(page, ingrid, nordlys, 'users');
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(agency.email);
  await tick(form, ['See services']);
  await onlyThese(form).check();
  await service(form, 'Webshop').check();
  await form.getByLabel('Until', { exact: true }).fill(until);
  // Without scripts no sentence follows what is chosen.
  if (javaScriptEnabled !== false) {
    await expect(form).toContainText(`will be able to see services (1 of 4: Webshop), until ${inWords(until)}.`);
  }
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${agency.email}`)).toBeVisible();

  const theirs = await someoneElse();
  await joinWithNewLogin(theirs, await readMail(page, agency.email, nordlys.name), agency, nordlys);
  await expectServices(theirs, ['Webshop']);

  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, agency);
  await expect(permissionsForm(page).getByLabel('Until', { exact: true })).toHaveValue(until);
  await service(permissionsForm(page), 'Order mail').check();
  await saveChanges(page);
  await theirs.goto(inAccount(nordlys));
  await expectServices(theirs, ['Order mail', 'Webshop']);

  await openManageAccess(page, agency);
  await pauseAccess(page, agency);
  await theirs.getByRole('table', { name: 'Services' }).getByRole('link', { name: 'Webshop' }).click();
  await expect(heading(theirs, 'Your access is paused')).toBeVisible();
  await expect(theirs.getByRole('main')).toContainText(ingrid.name);

  await page.getByRole('button', { name: 'Resume access', exact: true }).click();
  await expect(announcement(page, `Access resumed for ${agency.name}`)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause access', exact: true })).toBeVisible();
  await expectOpen(theirs, nordlys, { path: 'services', heading: 'Services' });
  await expectServices(theirs, ['Order mail', 'Webshop']);
});

test('which services is asked once something of services is ticked', async ({ page, javaScriptEnabled }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  // Ticking to and fro while the page comes to life is nothing that anybody does.
  if (javaScriptEnabled !== false) await expect(page.getByRole('button', { name: '1 week', exact: true })).toBeVisible();
  const main = page.getByRole('main');
  const domains = main.getByRole('radiogroup', { name: 'Which domains?', exact: true });
  await expect(main.getByLabel('Until', { exact: true })).toBeVisible();
  await expect(whichServices(main)).toBeHidden();
  const all = main.getByRole('checkbox', { name: 'All of Services' });
  await all.check();
  await expect(whichServices(main)).toBeVisible();
  await expect(domains).toBeHidden();
  await all.uncheck();
  await expect(whichServices(main)).toBeHidden();
  await tick(main, ['See services', 'See domains']);
  await expect(domains).toBeVisible();
  await expect(whichServices(main).getByRole('radio', { name: 'All, also those to come', exact: true })).toBeChecked();
  await expect(service(main, 'Webshop')).toBeHidden();
  await onlyThese(main).check();
  await expect(service(main, 'Webshop')).toBeVisible();
  await expect(service(main, 'Webshop')).not.toBeChecked();
});

test('the summary leads to the services where none is chosen, and what was chosen stays', async ({ page }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users/invite');
  const main = page.getByRole('main');
  const send = main.getByRole('button', { name: 'Send invitation', exact: true });
  await main.getByLabel('Email address').fill(email);
  await tick(main, ['See services']);
  await onlyThese(main).check();
  await send.click();
  await main.getByRole('link', { name: /^Choose at least one service/ }).click();
  await expect(whichServices(main)).toBeFocused();
  await expect(whichServices(main)).toBeInViewport();
  await expect(whichServices(main)).toHaveAccessibleDescription(/Choose at least one service/);
  await expect(onlyThese(main)).toBeChecked();
  await service(main, 'Webshop').check();
  await send.click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
});

test('buttons fill in the end where scripts run', async ({ page, javaScriptEnabled }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  const until = page.getByLabel('Until', { exact: true });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  await expect(until).toBeVisible();
  if (javaScriptEnabled === false) {
    for (const name of ['1 week', '1 month', '1 year', 'No end']) await expect(button(name)).toBeHidden();
    return;
  }
  await tick(page.getByRole('main'), ['See services']);
  await until.fill(inDays(3));
  const week = inDays(7);
  await button('1 week').click();
  await expect(until).toHaveValue(week);
  await expect(page.getByRole('main')).toContainText(`see services, until ${inWords(week)}.`);
  await button('No end').click();
  await expect(until).toHaveValue('');
  await expect(page.getByRole('main')).toContainText('will be able to see services.');
});
