// SPDX-License-Identifier: GPL-2.0-or-later
// Ways to a container's packets other than sockets in its own network namespace.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extcap/capture/method.h"
#include "extcap/capture/netns_capture.h"
#include "extcap/capture/source.h"

namespace podshark::extcap {

struct OtherWay {
  std::vector<std::unique_ptr<Source>> sources;  ///< never empty
  std::string notice;                            ///< one line for people: what is captured instead, and why
};

/// Capture tools run by podman, in the container or in a sidecar: a stream for each chosen link, one of all
/// links otherwise. What only the running tool can find out becomes Source::failure().
[[nodiscard]] Result<OtherWay> open_through_podman(const Target& target, const MethodOptions& methods,
                                                   const CaptureContext& context, const SourceHooks& hooks);

/// A container in the host's network: the host's links, limited to its ports unless `methods` says all. By
/// sockets for root, by dumpcap for others.
[[nodiscard]] Result<OtherWay> open_on_host(const Target& target, const MethodOptions& methods,
                                            const CaptureContext& context, const SourceHooks& hooks);

/// A plan for links of the host's own namespace, for somebody who may not open sockets there but may run
/// dumpcap: a stream for each link that it chooses now.
[[nodiscard]] Result<OtherWay> open_through_dumpcap(CapturePlan plan, const CaptureContext& context,
                                                    const SourceHooks& hooks);

}  // namespace podshark::extcap
