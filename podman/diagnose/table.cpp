// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>

#include "podman/diagnose/check.h"
#include "podman/diagnose/checks/checks.h"

namespace podshark::diagnose {
namespace {

constexpr std::size_t kMaxEvidence = 12;  // of one finding; the rest is counted

// Cheap and certain ones first; a cause stands before what follows from it.
const std::array kChecks{
    // state, and what podman says of failed starts
    kCtrCrashedShownRunning,
    kPortInUse,
    kPortRestartRace,
    kPortPrivilegedRootless,
    kDnsPortTaken,
    kIpamConflict,
    kFwBackendUnusable,
    kFwIptablesTablesMissing,
    kFwFirewalldStrictForward,
    kUpgradePodman6,
    kLsmDenied,
    // modes and kinds of networks
    kPortModeIgnores,
    kNetMacvlanHost,
    kNetInternal,
    kPodPortOnMember,
    // who listens inside
    kAppLoopbackOnly,
    kAppNotListening,
    // routes and links inside
    kCtrNoDefaultRoute,
    kPastaDead,
    kSlirpDead,
    kStartedBeforeNetwork,
    // neighbours
    kL2Neighbour,
    // bridges
    kLinkBridgeBroken,
    // routes of the host
    kRouteSubnetCaptured,
    // settings
    kSysctlIpForward,
    kSysctlRpFilter,
    kSysctlRouteLocalnet,
    kL2BrNetfilter,
    kIpv6Partial,
    // rules that should be there
    kFwRulesFlushed,
    kNatMarkMissing,
    kNatStaleDnat,
    kPortHostIp,
    // rules that should not
    kFwForwardPolicyDrop,
    kFwForeignForwardDrop,
    kFwFirewalldZoneLost,
    kFwExplicitDrop,
    kFwDnsInputDrop,
    kNetIsolation,
    kFwCtInvalid,
    // who listens on the host
    kRootlessportDead,
    kPortPastaV6Only,
    kSourceAddressLost,
    // rootless uplinks
    kUplinkDead,
    kPastaHostAddress,
    kSlirpHostLoopback,
    kNoPeer,
    kRootlessPing,
    // names
    kDnsDefaultNetwork,
    kDnsServerDead,
    kDnsUpstreamDead,
    // connections
    kMtuBlackHole,
    kCtUdpStale,
    kCtTableFull,
};

struct Consequence {
  const char* cause;
  const char* effect;
};

// What a cause brings along, in the words of docs/CHECKS.md: shown beneath it, not beside it.
constexpr std::array kConsequences{
    Consequence{"ctr.crashed-shown-running", "nat.stale-dnat"},
    Consequence{"link.bridge-broken", "route.subnet-captured"},
    Consequence{"rootless.pasta-dead", "rootless.started-before-network"},
    Consequence{"rootless.pasta-dead", "app.not-listening"},
    Consequence{"fw.rules-flushed", "nat.mark-missing"},
    Consequence{"fw.foreign-forward-drop", "fw.explicit-drop"},
    Consequence{"fw.firewalld-strict-forward", "fw.rules-flushed"},  // later netavark's reload ends half-way
    Consequence{"fw.firewalld-zone-lost", "fw.dns-input-drop"},
    Consequence{"dns.port-taken", "dns.server-dead"},
    Consequence{"port.in-use", "port.privileged-rootless"},
    Consequence{"net.internal", "dns.upstream-dead"},
};

// The same thing said of several containers becomes one finding.
void merge(Findings& findings) {
  Findings out;
  for (Finding& f : findings) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const Finding& g) {
      return g.id == f.id && g.severity == f.severity && g.what == f.what &&
             g.subject.substr(0, 4) == f.subject.substr(0, 4);
    });
    if (same == out.end()) {
      out.push_back(std::move(f));
      continue;
    }
    if (same->subject != f.subject && same->subject.size() < 200) same->subject += ", " + f.subject;
    for (std::string& line : f.evidence) {
      const bool known =
          std::find(same->evidence.begin(), same->evidence.end(), line) != same->evidence.end();
      if (!known && same->evidence.size() < kMaxEvidence) same->evidence.push_back(std::move(line));
    }
    for (std::string& line : f.fix) {
      const bool known = std::find(same->fix.begin(), same->fix.end(), line) != same->fix.end();
      if (!known && same->fix.size() < kMaxEvidence) same->fix.push_back(std::move(line));
    }
    same->certainty = std::max(same->certainty, f.certainty);
  }
  findings = std::move(out);
}

void hang_consequences(Findings& findings) {
  for (const Consequence& c : kConsequences) {
    const bool cause = std::any_of(findings.begin(), findings.end(), [&](const Finding& f) {
      return f.id == c.cause && f.severity != Severity::info;
    });
    for (Finding& f : findings) {
      if (cause && f.id == c.effect) f.follows_from = c.cause;
    }
  }
}

}  // namespace

std::span<const Check> all_checks() {
  return kChecks;
}

Findings judge(const Facts& facts) {
  Findings out;
  for (const Check& check : kChecks) check.judge(facts, out);
  merge(out);
  hang_consequences(out);
  std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) {
    const bool first = a.follows_from.empty(), second = b.follows_from.empty();
    if (first != second) return first;
    if (a.severity != b.severity) return a.severity > b.severity;
    return a.certainty > b.certainty;
  });
  return out;
}

bool anything_wrong(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& f) { return f.severity != Severity::info; });
}

}  // namespace podshark::diagnose
