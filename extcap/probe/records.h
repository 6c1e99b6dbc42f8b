// SPDX-License-Identifier: GPL-2.0-or-later
// A probe as two records of docs/FORMAT.md: the first tells a capture which packets will be its own, the
// second what came of it.
#pragma once

#include "extcap/probe/runner.h"
#include "podman/annotate/codec.h"
#include "podman/model/connection.h"

namespace podshark::extcap::probing {

/// `r` has its attempt as far as it has begun. `reply`: the answers as conntrack expects them, where the
/// probe's packets are translated; else empty.
[[nodiscard]] annotate::Event started_record(const ProbeResult& r, const annotate::Event::Tuple& reply);
[[nodiscard]] annotate::Event ended_record(const ProbeResult& r, std::int64_t now_ns);

/// The answers' tuple of a connection that the host's rules translate, from `entries`; empty for none.
[[nodiscard]] annotate::Event::Tuple reply_tuple(const probe::Attempt& attempt,
                                                 const std::vector<model::Conntrack>& entries);

}  // namespace podshark::extcap::probing
