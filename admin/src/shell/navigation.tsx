// What there is to go to. Each entry names the scope that it needs; without it, it is not shown.
import {
  IconActivity, IconBuilding, IconClockHour9, IconDeviceLandlinePhone, IconHash, IconHistory, IconHome, IconKey, IconList, IconListDetails, IconMailbox, IconMicrophone, IconMusic, IconPalette, IconPhoneCall, IconPlugConnected, IconRoute,
  IconServer, IconShare3, IconTransfer, IconUsers, IconUserShield, IconWebhook, type Icon,
} from '@tabler/icons-react';

export interface Entry {
  words: string;
  to: string; // below the tenant, or from the root
  icon: Icon;
  scope?: string;
}

// everywhere are pages of a tenant's, or of all that one may see.
export const everywhere: Entry[] = [
  { words: 'Calls', to: 'calls', icon: IconPhoneCall, scope: 'calls:read' },
  { words: 'Live', to: 'live', icon: IconActivity, scope: 'calls:read' },
  { words: 'Registrations', to: 'registrations', icon: IconPlugConnected, scope: 'registrations:read' },
];

export const ofTenant: Entry[] = [
  { words: 'Overview', to: '', icon: IconHome, scope: 'tenants:read' },
  { words: 'Users', to: 'users', icon: IconUsers, scope: 'users:read' },
  { words: 'Devices', to: 'devices', icon: IconDeviceLandlinePhone, scope: 'devices:read' },
  { words: 'Numbers', to: 'numbers', icon: IconHash, scope: 'numbers:read' },
  { words: 'Flows', to: 'flows', icon: IconRoute, scope: 'flows:read' },
  { words: 'Porting', to: 'portings', icon: IconTransfer, scope: 'porting:read' },
  { words: 'Opening hours', to: 'schedules', icon: IconClockHour9, scope: 'flows:read' },
  { words: 'Lists', to: 'lists', icon: IconListDetails, scope: 'flows:read' },
  { words: 'Sounds', to: 'media', icon: IconMusic, scope: 'media:read' },
  { words: 'Voicemail', to: 'voicemail', icon: IconMailbox, scope: 'voicemail:read' },
  { words: 'Recordings', to: 'recordings', icon: IconMicrophone, scope: 'recordings:read' },
  { words: 'Trunks', to: 'trunks', icon: IconShare3, scope: 'trunks:read' },
  { words: 'Webhooks', to: 'webhooks', icon: IconWebhook, scope: 'webhooks:read' },
  { words: 'Keys', to: 'keys', icon: IconKey, scope: 'keys:read' },
  { words: 'People', to: 'people', icon: IconUserShield, scope: 'people:read' },
  { words: 'Brand', to: 'brand', icon: IconPalette, scope: 'settings:write' },
  { words: 'Changes', to: 'audit', icon: IconHistory, scope: 'audit:read' },
];

export const ofPlatform: Entry[] = [
  { words: 'Tenants', to: 'tenants', icon: IconBuilding, scope: 'tenants:read' },
  { words: 'Nodes', to: 'nodes', icon: IconServer, scope: 'platform:read' },
  { words: 'Numbers', to: 'numbers', icon: IconHash, scope: 'platform:read' },
  { words: 'Porting', to: 'portings', icon: IconTransfer, scope: 'porting:decide' },
  { words: 'Trunks', to: 'trunks', icon: IconShare3, scope: 'platform:read' },
  { words: 'Orders', to: 'orders', icon: IconList, scope: 'platform:read' },
  { words: 'Keys', to: 'keys', icon: IconKey, scope: 'platform:read' },
  { words: 'People', to: 'people', icon: IconUserShield, scope: 'platform:read' },
  { words: 'Changes', to: 'audit', icon: IconHistory, scope: 'platform:read' },
];
