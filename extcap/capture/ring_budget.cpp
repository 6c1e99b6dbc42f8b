// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/ring_budget.h"

#include <algorithm>

namespace podshark::extcap {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;
// A burst at full veth speed fills 8 MiB in 50 ms, which is less than one may wait for the processor; 32 MiB
// lost nothing of a million packets where 8 MiB lost 3 % (tests/bench).
constexpr std::size_t kMostRing = 32 * kMiB;
constexpr std::size_t kUsualRing = 8 * kMiB;
constexpr std::size_t kFewLinks = 4;   // so many get the most
constexpr std::size_t kLinksEach = 2;  // eth0 and lo
// What nobody knows of yet: links and containers that appear later find something left.
constexpr std::size_t kLater = 32;
// A namespace with more links than usual leaves this to others.
constexpr std::size_t kManyLinks = 16;
constexpr std::size_t kForOthers = 48 * kMiB;

// What a ring really takes: whole blocks, large ones in a large ring, and two at least.
std::size_t in_blocks(std::size_t bytes) {
  const std::size_t block = ring_block(bytes);
  return std::max(RingBudget::kLeast, bytes / block * block);
}

}  // namespace

// Of the fresh ones, whatever memory there is.
std::size_t RingBudget::allowed(const Wish& w) {
  const std::size_t have = std::min(w.have, kMostLinks);
  const std::size_t made = std::min(w.made, kMostInterfaces);
  return std::min({w.fresh, kMostLinks - have, kMostInterfaces - made});
}

std::size_t RingBudget::left(const Wish& w) const {
  // Whoever chooses large rings wants them on the links that containers usually have.
  const std::size_t total = std::max(kTotal, chosen_ * kFewLinks * w.targets);
  const std::size_t kept = w.have + w.fresh > kManyLinks ? kForOthers : 0;
  return total > used_ + kept ? total - used_ - kept : 0;
}

std::size_t RingBudget::size(const Wish& w) const {
  const std::size_t fresh = allowed(w);
  const std::size_t links = std::max(kLinksEach, w.have + fresh) + kLinksEach * (w.targets - 1);
  std::size_t wanted = std::clamp(kMostRing * kFewLinks / links, kUsualRing, kMostRing);
  if (chosen_ != 0) wanted = chosen_;
  const std::size_t first = kMostRing * kFewLinks;
  const std::size_t others = kLinksEach * (std::max<std::size_t>(w.coming, 1) - 1);
  const std::size_t soon = (fresh + others) * wanted;
  const bool all_fit = chosen_ != 0 ? soon <= left(w) : used_ + soon <= first;
  if (all_fit) return in_blocks(wanted);
  const std::size_t later = w.coming == 0 ? kLater : kLater / 2;
  return in_blocks(std::min(wanted, left(w) / (fresh + others + later)));
}

std::size_t RingBudget::rings(const Wish& w) const {
  return std::min(allowed(w), left(w) / size(w));
}

RingBudget::Share RingBudget::take(std::size_t bytes) {
  Share out;
  out.budget_ = this;
  out.bytes_ = bytes;
  used_ += bytes;
  return out;
}

}  // namespace podshark::extcap
