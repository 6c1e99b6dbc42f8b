// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace podshark::extcap {

/// Bytes of a block of a ring of so many bytes; a small one still holds a 64 KiB GSO packet.
[[nodiscard]] constexpr std::uint32_t ring_block(std::size_t bytes) {
  return bytes >= (std::size_t{2} << 20U) ? 1U << 18U : 1U << 17U;
}

/// Kernel memory of all rings of one capture. Few links get large rings, many share; whoever makes links in a
/// container, however many, gets no more than this. Pure; one thread.
class RingBudget {
 public:
  static constexpr std::size_t kTotal = std::size_t{384} << 20U;
  static constexpr std::size_t kLeast = std::size_t{256} << 10U;  ///< the smallest ring
  /// Links of one namespace at the same time: the kernel takes tens of milliseconds to close a ring, and
  /// nobody waits for thousands of them.
  static constexpr std::size_t kMostLinks = 256;
  /// Interfaces that one namespace may add to a file, those of links that have gone included.
  static constexpr std::size_t kMostInterfaces = 4096;

  /// Memory of one ring, given back with it.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() {
      if (budget_ != nullptr) budget_->used_ -= bytes_;
    }

   private:
    friend class RingBudget;
    RingBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  /// Who wants rings: one namespace.
  struct Wish {
    std::size_t targets = 1;  ///< namespaces that are known, this one included
    std::size_t coming = 0;   ///< of these, still to be captured when a capture begins; 0: it came later
    std::size_t have = 0;     ///< links with a ring
    std::size_t fresh = 1;    ///< links without
    std::size_t made = 0;     ///< interfaces of the file so far
  };

  /// `chosen`: bytes of each ring as the user wants them, 0: as many as fit.
  explicit RingBudget(std::size_t chosen = 0) : chosen_(chosen) {}
  RingBudget(const RingBudget&) = delete;
  RingBudget& operator=(const RingBudget&) = delete;

  /// Bytes of each ring, kLeast or more; where that is more than there is, take() gives none.
  [[nodiscard]] std::size_t size(const Wish& wish) const;
  /// How many of them there are.
  [[nodiscard]] std::size_t rings(const Wish& wish) const;
  [[nodiscard]] Share take(std::size_t bytes);
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  [[nodiscard]] static std::size_t allowed(const Wish& wish);
  [[nodiscard]] std::size_t left(const Wish& wish) const;

  std::size_t chosen_;
  std::size_t used_ = 0;
};

}  // namespace podshark::extcap
