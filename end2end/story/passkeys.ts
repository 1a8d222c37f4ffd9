import { expect, type CDPSession, type Page } from '@playwright/test';
import { announcement, heading } from './steps';

/** A device that holds passkeys, plugged into the browser (Chromium's virtual authenticator). */
export interface Device {
  session: CDPSession;
  id: string;
  /** Whether somebody is there to touch it when it is asked. */
  attended: (attended: boolean) => Promise<void>;
}

/** Gives the page's browser a device that asks for the fingerprint and gets it. */
export async function plugIn(page: Page): Promise<Device> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId: id } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const attended = async (enabled: boolean) => {
    await session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: id, enabled });
  };
  return { session, id, attended };
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
