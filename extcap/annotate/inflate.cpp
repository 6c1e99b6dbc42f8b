// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr std::size_t kPacked = std::size_t{256} * 1024;
constexpr int kGzipOnly = 15 + 16;  // inflateInit2: the largest window, a gzip header is required

}  // namespace

struct Inflate::Stream {
  z_stream z{};
};

Inflate::Inflate(ReadBytes packed)
    : packed_(std::move(packed)), buffer_(kPacked), stream_(std::make_unique<Stream>()) {
  if (::inflateInit2(&stream_->z, kGzipOnly) != Z_OK) throw std::bad_alloc();
}

Inflate::~Inflate() {
  (void)::inflateEnd(&stream_->z);
}

// False at the end of the packed stream. What is left of the buffer moves to its front.
Result<bool> Inflate::more() {
  z_stream& z = stream_->z;
  std::copy_n(z.next_in, z.avail_in, buffer_.data());
  z.next_in = buffer_.data();
  const Result<std::size_t> got = packed_(std::span(buffer_).subspan(z.avail_in));
  if (!got) return got.error();
  z.avail_in += static_cast<unsigned>(*got);
  return *got != 0;
}

Result<bool> Inflate::next_member() {
  z_stream& z = stream_->z;
  while (z.avail_in < 2) {
    const Result<bool> any = more();
    if (!any) return any;
    if (!*any) return false;
  }
  if (!is_gzip({z.next_in, z.avail_in})) return false;
  (void)::inflateReset(&z);
  return true;
}

Result<std::size_t> Inflate::read(std::span<std::uint8_t> out) {
  z_stream& z = stream_->z;
  const std::size_t room = std::min<std::size_t>(out.size(), std::numeric_limits<unsigned>::max());
  z.next_out = out.data();
  z.avail_out = static_cast<unsigned>(room);
  while (!ended_ && z.avail_out == room) {
    if (between_) {
      const Result<bool> another = next_member();
      if (!another) return another.error();
      between_ = false;
      ended_ = !*another;
      continue;
    }
    if (z.avail_in == 0) {
      const Result<bool> any = more();
      if (!any) return any.error();
      if (!*any) return Error{ErrorKind::damaged, "the gzip stream ends in the middle", {}};
    }
    const int code = ::inflate(&z, Z_NO_FLUSH);
    between_ = code == Z_STREAM_END;
    if (between_ || code == Z_OK || code == Z_BUF_ERROR) continue;
    if (z.avail_out < room) break;  // what came before first; the next call meets the same fault
    return Error{ErrorKind::damaged,
                 std::string("the gzip stream is damaged: ") +
                     one_line(z.msg == nullptr ? ::zError(code) : z.msg, 100),
                 {}};
  }
  return room - z.avail_out;
}

}  // namespace podshark::extcap
