import { createHmac } from 'node:crypto';
import { expect, type Page } from '@playwright/test';
import { announcement, heading } from './steps';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What an authenticator app with this key shows (RFC 6238: SHA-1, six digits, 30 seconds), `later` steps from now. */
export function codeOf(key: string, later = 0): string {
  const bits = [...key.replaceAll(' ', '')].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const mac = createHmac('sha1', bytes).update(step).digest();
  const start = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(start) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Sets an authenticator app up on the security page. Answers its key and the recovery codes. */
export async function turnAppOn(page: Page): Promise<{ key: string; codes: string[] }> {
  await page.goto('/security');
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
  await expect(heading(page, 'Set up an authenticator app')).toBeVisible();
  await expect(page.getByRole('img', { name: 'QR code for the authenticator app' })).toBeVisible();
  const key = await page.locator('code.key').innerText();
  await page.getByLabel('Code', { exact: true }).fill(codeOf(key));
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(announcement(page, 'Your authenticator app is on')).toBeVisible();
  const codes = await announcement(page, 'recovery codes').getByRole('listitem').allInnerTexts();
  return { key, codes };
}
