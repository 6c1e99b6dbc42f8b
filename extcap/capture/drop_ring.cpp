// SPDX-License-Identifier: GPL-2.0-or-later
// Pages: ours (how far we are), the kernel's (how far it is), the data, and the data once more, so that a
// record which goes round the end is in one piece.
#include "extcap/capture/drop_ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace podshark::extcap {
namespace {

std::uint64_t load(const std::uint64_t* at) {
  return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

}  // namespace

Result<DropRing> DropRing::map(UniqueFd fd, std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  DropRing ring;
  ring.size_ = size;
  ring.page_ = page;
  void* ours = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (ours == MAP_FAILED) return os_error(errno, "map the ring of dropped packets");
  ring.consumed_ = static_cast<std::uint64_t*>(ours);
  void* theirs = ::mmap(nullptr, page + 2 * size, PROT_READ, MAP_SHARED, fd.get(), static_cast<off_t>(page));
  if (theirs == MAP_FAILED) return os_error(errno, "map the ring of dropped packets");
  ring.produced_ = static_cast<const std::uint64_t*>(theirs);
  ring.data_ = static_cast<const std::uint8_t*>(theirs) + page;
  ring.fd_ = std::move(fd);
  return ring;
}

DropRing::~DropRing() {
  if (consumed_ != nullptr) (void)::munmap(consumed_, page_);
  if (produced_ != nullptr) (void)::munmap(const_cast<std::uint64_t*>(produced_), page_ + 2 * size_);
}

void DropRing::swap(DropRing& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(page_, other.page_);
  std::swap(consumed_, other.consumed_);
  std::swap(produced_, other.produced_);
  std::swap(data_, other.data_);
}

void DropRing::take(std::size_t most, const std::function<void(std::span<const std::uint8_t>)>& record) {
  if (data_ == nullptr) return;
  std::uint64_t at = *consumed_;
  const std::uint64_t end = load(produced_);
  while (at < end && most-- > 0) {
    const std::uint8_t* header = data_ + (at & (size_ - 1));
    const std::uint32_t word =
        __atomic_load_n(reinterpret_cast<const std::uint32_t*>(header), __ATOMIC_ACQUIRE);
    if ((word & BPF_RINGBUF_BUSY_BIT) != 0) break;  // being filled: so is all that follows, in order
    const std::size_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    if (length > size_ - BPF_RINGBUF_HDR_SZ) break;
    if ((word & BPF_RINGBUF_DISCARD_BIT) == 0) record({header + BPF_RINGBUF_HDR_SZ, length});
    at += (length + BPF_RINGBUF_HDR_SZ + 7) & ~std::uint64_t{7};
    __atomic_store_n(consumed_, at, __ATOMIC_RELEASE);
  }
}

}  // namespace podshark::extcap
