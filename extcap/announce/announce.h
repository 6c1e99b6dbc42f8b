// SPDX-License-Identifier: GPL-2.0-or-later
// What `podshark probe` and `podshark check` find out becomes a record in every capture that the same user
// has running, beside the packets that it is about.
#pragma once

#include "podman/annotate/codec.h"

namespace podshark::extcap {

/// Sends to all running captures of the calling user (inbox.h). Nothing is an error: there may be none. A
/// capture that does not read is waited for kAnnounceWait at most, then it misses the record.
void announce(const annotate::Event& event);
inline constexpr int kAnnounceWaitMs = 100;

}  // namespace podshark::extcap
