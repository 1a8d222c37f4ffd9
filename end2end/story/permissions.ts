/** The five areas as the legends of the form say them. */
export const areas = ['Services', 'Domains', 'Billing', 'Support requests', 'Account administration'] as const;

/** The permissions as the checkboxes say them, area by area. */
export const permissions = {
  Services: ['See services', 'Manage services', 'See service passwords', 'Sign in to services', 'Order, upgrade and cancel'],
  Domains: ['See domains', 'Manage domains and DNS', 'Transfer domains away'],
  Billing: ['See invoices', 'Pay invoices', 'Change billing details'],
  'Support requests': ['See support requests', 'Open and answer support requests'],
  'Account administration': ['Change account details', 'Manage users and permissions', 'See the activity log'],
} as const satisfies Record<(typeof areas)[number], readonly string[]>;

export type Permission = (typeof permissions)[keyof typeof permissions][number];

/** The pages that permissions open: path inside the account, heading, and whether it is in the navigation "Account". */
export const rooms = [
  { path: 'services', heading: 'Services' },
  { path: 'domains', heading: 'Domains' },
  { path: 'billing', heading: 'Billing' },
  { path: 'support', heading: 'Support requests' },
  { path: 'account', heading: 'Account details' },
  { path: 'users', heading: 'User management' },
  { path: 'log', heading: 'Activity log' },
] as const;

export type Room = (typeof rooms)[number]['heading'];
