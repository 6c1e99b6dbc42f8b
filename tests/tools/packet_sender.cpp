// SPDX-License-Identifier: GPL-2.0-or-later
// packet_sender LINK DST_MAC COUNT SIZE RATE [PORT]
// Sends COUNT numbered UDP frames of SIZE bytes (Ethernet header included) on LINK, RATE a second (0: as fast
// as it goes), and prints how many the kernel took. Each carries its number as 8 bytes after the UDP header,
// so a test can name the missing ones. For links that a test made; run it in their network namespace.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kHeaders = sizeof(ether_header) + sizeof(iphdr) + sizeof(udphdr);
constexpr std::size_t kBatch = 64;

struct Plan {
  unsigned ifindex = 0;
  std::array<unsigned char, 6> destination{};
  std::uint64_t count = 0;
  std::size_t size = 0;
  double rate = 0;
  std::uint16_t port = 9;
};

bool parse_mac(const char* text, std::array<unsigned char, 6>& mac) {
  return std::sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                     &mac[5]) == 6;
}

std::uint16_t checksum(const void* data, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, static_cast<const char*>(data) + i, 2);
    sum += word;
  }
  while ((sum >> 16U) != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

std::vector<unsigned char> make_frame(const Plan& plan) {
  std::vector<unsigned char> frame(std::max(plan.size, kHeaders + 8));
  ether_header ethernet{};
  std::copy(plan.destination.begin(), plan.destination.end(), ethernet.ether_dhost);
  ethernet.ether_shost[0] = 2;  // locally administered
  ethernet.ether_type = htons(ETHERTYPE_IP);
  iphdr ip{};
  ip.version = 4;
  ip.ihl = 5;
  ip.ttl = 64;
  ip.protocol = IPPROTO_UDP;
  ip.tot_len = htons(static_cast<std::uint16_t>(frame.size() - sizeof(ethernet)));
  ip.saddr = ::inet_addr("192.0.2.1");
  ip.daddr = ::inet_addr("192.0.2.2");
  ip.check = checksum(&ip, sizeof(ip));
  udphdr udp{};
  udp.source = htons(plan.port);
  udp.dest = htons(plan.port);
  udp.len = htons(static_cast<std::uint16_t>(frame.size() - sizeof(ethernet) - sizeof(ip)));
  std::memcpy(frame.data(), &ethernet, sizeof(ethernet));
  std::memcpy(frame.data() + sizeof(ethernet), &ip, sizeof(ip));
  std::memcpy(frame.data() + sizeof(ethernet) + sizeof(ip), &udp, sizeof(udp));
  return frame;
}

// Numbers the frames of a batch and sends them; how many went.
std::uint64_t send_batch(int fd, std::vector<std::vector<unsigned char>>& frames, std::uint64_t first,
                         std::size_t n) {
  std::array<iovec, kBatch> data{};
  std::array<mmsghdr, kBatch> messages{};
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t number = first + i;
    std::memcpy(frames[i].data() + kHeaders, &number, sizeof(number));
    data[i] = {frames[i].data(), frames[i].size()};
    messages[i].msg_hdr.msg_iov = &data[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  std::size_t done = 0;
  while (done < n) {
    const int sent = ::sendmmsg(fd, messages.data() + done, static_cast<unsigned>(n - done), 0);
    if (sent > 0) done += static_cast<std::size_t>(sent);
    if (sent < 0 && errno != EINTR && errno != ENOBUFS && errno != EAGAIN) {
      std::perror("packet_sender: sendmmsg");
      std::exit(1);
    }
  }
  return done;
}

std::uint64_t send_all(int fd, const Plan& plan) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<unsigned char>> frames(kBatch, make_frame(plan));
  const Clock::time_point start = Clock::now();
  std::uint64_t sent = 0;
  while (sent < plan.count) {
    if (plan.rate > 0) {
      std::this_thread::sleep_until(
          start + std::chrono::duration_cast<Clock::duration>(
                      std::chrono::duration<double>(static_cast<double>(sent) / plan.rate)));
    }
    sent += send_batch(fd, frames, sent,
                       static_cast<std::size_t>(std::min<std::uint64_t>(kBatch, plan.count - sent)));
  }
  return sent;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  if (argc < 6 || !parse_mac(argv[2], plan.destination)) {
    std::fprintf(stderr, "usage: packet_sender LINK DST_MAC COUNT SIZE RATE [PORT]\n");
    return 2;
  }
  plan.ifindex = ::if_nametoindex(argv[1]);
  plan.count = std::strtoull(argv[3], nullptr, 10);
  plan.size = std::strtoull(argv[4], nullptr, 10);
  plan.rate = std::strtod(argv[5], nullptr);
  if (argc > 6) plan.port = static_cast<std::uint16_t>(std::strtoul(argv[6], nullptr, 10));
  const int fd = ::socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(plan.ifindex);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("packet_sender: socket");
    return 1;
  }
  std::printf("%llu\n", static_cast<unsigned long long>(send_all(fd, plan)));
  return 0;
}
