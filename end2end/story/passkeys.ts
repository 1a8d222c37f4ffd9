import { expect, type Page } from '@playwright/test';
import { announcement, heading } from './steps';

/**
 * Gives the page's browser a device that holds passkeys (Chromium's virtual authenticator), asks for the fingerprint and
 * gets it. It gets it at once: where the browser `offers` passkeys by itself, the page for signing in is soon left.
 */
export async function plugIn(page: Page, { offers = false } = {}) {
  if (!offers) {
    await page.addInitScript(() => {
      PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
    });
  }
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** Has the browser make a passkey, from the security page on. */
export async function makePasskey(page: Page, name: string) {
  await page.goto('/security');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await expect(heading(page, 'Add a passkey')).toBeVisible();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('button', { name: 'Create passkey' }).click();
}

/** Adds a passkey on the security page; answers the recovery codes that came with it. */
export async function addPasskey(page: Page, name: string): Promise<string[]> {
  await makePasskey(page, name);
  await expect(announcement(page, 'Passkey added')).toBeVisible();
  return announcement(page, 'Passkey added').getByRole('listitem').allInnerTexts();
}
