// SPDX-License-Identifier: GPL-2.0-or-later
// Every check, one a file and namespace of this folder; table.cpp has their order.
#pragma once

#include "podman/diagnose/check.h"

namespace podshark::diagnose {

extern const Check kCtrCrashedShownRunning;
extern const Check kPortInUse;
extern const Check kPortRestartRace;
extern const Check kPortPrivilegedRootless;
extern const Check kDnsPortTaken;
extern const Check kIpamConflict;
extern const Check kFwBackendUnusable;
extern const Check kFwIptablesTablesMissing;
extern const Check kFwFirewalldStrictForward;
extern const Check kUpgradePodman6;
extern const Check kLsmDenied;

extern const Check kPortModeIgnores;
extern const Check kNetMacvlanHost;
extern const Check kNetInternal;
extern const Check kPodPortOnMember;

extern const Check kAppLoopbackOnly;
extern const Check kAppNotListening;

extern const Check kCtrNoDefaultRoute;
extern const Check kPastaDead;
extern const Check kSlirpDead;
extern const Check kStartedBeforeNetwork;

extern const Check kL2Neighbour;

extern const Check kLinkBridgeBroken;

extern const Check kRouteSubnetCaptured;

extern const Check kSysctlIpForward;
extern const Check kSysctlRpFilter;
extern const Check kSysctlRouteLocalnet;
extern const Check kL2BrNetfilter;
extern const Check kIpv6Partial;

extern const Check kFwRulesFlushed;
extern const Check kNatMarkMissing;
extern const Check kNatStaleDnat;
extern const Check kPortHostIp;

extern const Check kFwForwardPolicyDrop;
extern const Check kFwForeignForwardDrop;
extern const Check kFwFirewalldZoneLost;
extern const Check kFwExplicitDrop;
extern const Check kFwDnsInputDrop;
extern const Check kNetIsolation;
extern const Check kFwCtInvalid;

extern const Check kRootlessportDead;
extern const Check kPortPastaV6Only;
extern const Check kSourceAddressLost;

extern const Check kUplinkDead;
extern const Check kPastaHostAddress;
extern const Check kSlirpHostLoopback;
extern const Check kNoPeer;
extern const Check kRootlessPing;

extern const Check kDnsDefaultNetwork;
extern const Check kDnsServerDead;
extern const Check kDnsUpstreamDead;

extern const Check kMtuBlackHole;
extern const Check kCtUdpStale;
extern const Check kCtTableFull;

}  // namespace podshark::diagnose
