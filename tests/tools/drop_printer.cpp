// SPDX-License-Identifier: GPL-2.0-or-later
// drop_printer SECONDS [PORT...]: loads the BPF program through podshark-drops, as a capture does, for the
// network namespace it runs in, and prints a line for each packet that is dropped there: reason, function,
// hook, bytes had and bytes there were, the connection's first packet. The first line says what the kernel
// allows. Sends a UDP datagram of 1000 bytes to each PORT of 127.0.0.1 every second.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "extcap/capture/drop_helper.h"
#include "extcap/capture/drop_record.h"
#include "podman/core/fd.h"

namespace {

void send_to(const char* port) {
  const podshark::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string data(1000, 'x');
  (void)::sendto(socket.get(), data.data(), data.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                 sizeof(to));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace podshark;
  using namespace podshark::extcap;
  const std::chrono::seconds limit(argc > 1 ? std::atoi(argv[1]) : 10);
  Result<EventLoop> loop = EventLoop::create();
  if (!loop) return 1;
  std::string failure;
  bool ready = false;
  DropHelper helper(*loop, {.ready = [&] { ready = true; },
                            .failed = [&](const Error& e) { failure = e.line(); },
                            .refused = [&](std::uint32_t, const Error& e) { failure = e.line(); }});
  if (const Status s = helper.start(65535, /* everything= */ true); !s) {
    std::printf("failed: %s\n", s.error().line().c_str());
    return 1;
  }
  const UniqueFd packet(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  helper.watch_netns(packet.get(), 1);
  DropReader reader([&](std::uint32_t value) { return helper.reason(value); });
  const auto end = std::chrono::steady_clock::now() + limit;
  auto next = std::chrono::steady_clock::now();
  bool told = false;
  while (failure.empty() && std::chrono::steady_clock::now() < end) {
    (void)loop->wait(50);
    if (!ready) continue;
    if (!told) std::printf("ready whole=%d connections=%d\n", helper.whole_packets(), helper.connections());
    told = true;
    if (std::chrono::steady_clock::now() >= next) {
      next += std::chrono::seconds(1);
      for (int i = 2; i < argc; ++i) send_to(argv[i]);
    }
    helper.ring().take(1000, [&](std::span<const std::uint8_t> record) {
      const std::optional<Drop> d = reader.read(record);
      if (!d) return;
      std::printf("drop %s %s %s %zu/%u %s:%u>%s:%u\n", d->reason.c_str(), d->function.c_str(),
                  d->hook.empty() ? "-" : d->hook.c_str(), d->bytes.size(), d->length,
                  d->original.src.c_str(), d->original.src_port, d->original.dst.c_str(),
                  d->original.dst_port);
    });
    std::fflush(stdout);
  }
  if (!failure.empty()) std::printf("failed: %s\n", failure.c_str());
  return failure.empty() && ready ? 0 : 1;
}
