// SPDX-License-Identifier: Apache-2.0
// The tabs of the inspector. A new one is a file beside this one and a row here.

import type { Tab } from "./inspect";
import { compareTab } from "./tab-compare";
import { processesTab } from "./tab-processes";
import { relationsTab } from "./tab-relations";
import { spanTab } from "./tab-span";
import { statusTab } from "./tab-status";

export const TABS: readonly Tab[] = [spanTab, compareTab, relationsTab, processesTab, statusTab];
