// What there is to go to. Each entry names the scope that it needs; without it, it is not shown.
import { IconHome, IconPhoneCall, type Icon } from '@tabler/icons-react';

export interface Entry {
  words: string;
  to: string; // below the tenant, or from the root
  icon: Icon;
  scope?: string;
}

// everywhere are pages of a tenant's, or of all that one may see.
export const everywhere: Entry[] = [{ words: 'Calls', to: 'calls', icon: IconPhoneCall, scope: 'calls:read' }];

export const ofTenant: Entry[] = [{ words: 'Overview', to: '', icon: IconHome, scope: 'tenants:read' }];

export const ofPlatform: Entry[] = [];
