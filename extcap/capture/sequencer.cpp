// SPDX-License-Identifier: GPL-2.0-or-later
// A k-way merge over a heap of lane heads. The oldest lane gives a run of blocks, up to the next lane's head,
// in one copy: on one busy link among idle ones that is everything at once.
#include "extcap/capture/sequencer.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace podshark::extcap {
namespace {

// Enhanced Packet Block: type, total length, interface, timestamp high and low, …
std::uint32_t length_at(const wire::Bytes& bytes, std::size_t at) {
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data + at + 4, sizeof(length));
  return length;
}

std::uint64_t time_at(const wire::Bytes& bytes, std::size_t at) {
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  std::memcpy(&high, bytes.data + at + 12, sizeof(high));
  std::memcpy(&low, bytes.data + at + 16, sizeof(low));
  return std::uint64_t{high} << 32U | low;
}

bool due(std::uint64_t time_ns, std::uint64_t until_ns, std::uint64_t now_ns) {
  return time_ns <= until_ns || (time_ns > now_ns && time_ns - now_ns > Sequencer::kClockStep);
}

// Not by a clock that was set back.
bool before(std::uint64_t time_ns, std::uint64_t other_ns) {
  return time_ns < other_ns && other_ns - time_ns <= Sequencer::kClockStep;
}

// Moves what is left to the front when that is cheap, so that a lane that never empties does not grow.
void drop_taken(wire::Bytes* bytes, std::size_t* taken) {
  const std::size_t left = bytes->size - *taken;
  if (*taken == 0 || left > *taken) return;
  if (left > 0) std::memmove(bytes->data, bytes->data + *taken, left);
  bytes->size = left;
  *taken = 0;
}

}  // namespace

Sequencer::~Sequencer() {
  for (Lane& l : lanes_) wire::free_bytes(&l.bytes);
}

wire::Bytes* Sequencer::lane(std::uint32_t id, std::uint64_t time_ns) {
  if (id >= lanes_.size()) {
    lanes_.resize(std::size_t{id} + 1);
    used_.reserve(lanes_.size());  // while there is memory
  }
  Lane& l = lanes_[id];
  l.unused = 0;
  if (!l.listed) {
    l.listed = true;
    used_.push_back(id);
  }
  const bool alone = l.taken == l.bytes.size;
  if (!alone && before(time_ns, l.newest_ns)) {
    l.disordered = true;
  } else {
    l.newest_ns = time_ns;
  }
  return &l.bytes;
}

void Sequencer::put_in_order(Lane& l) {
  struct Block {
    std::uint64_t time_ns;
    std::size_t at;
  };
  std::vector<Block> blocks;
  for (std::size_t at = l.taken; at < l.bytes.size; at += length_at(l.bytes, at)) {
    blocks.push_back({time_at(l.bytes, at), at});
    for (std::size_t i = blocks.size() - 1; i > 0 && before(blocks[i].time_ns, blocks[i - 1].time_ns); --i)
      std::swap(blocks[i], blocks[i - 1]);
  }
  std::vector<std::uint8_t> sorted;
  sorted.reserve(l.bytes.size - l.taken);
  for (const Block& b : blocks)
    sorted.insert(sorted.end(), l.bytes.data + b.at, l.bytes.data + b.at + length_at(l.bytes, b.at));
  std::copy(sorted.begin(), sorted.end(), l.bytes.data + l.taken);
  l.disordered = false;
}

std::vector<Sequencer::Head> Sequencer::heads() const {
  std::vector<Head> out;
  for (const std::uint32_t id : used_) {
    const Lane& l = lanes_[id];
    if (l.taken < l.bytes.size) out.push_back({time_at(l.bytes, l.taken), id});
  }
  return out;
}

void Sequencer::release(std::uint64_t until_ns, std::uint64_t now_ns, wire::Bytes* out) {
  try {
    for (const std::uint32_t id : used_) {
      if (lanes_[id].disordered) put_in_order(lanes_[id]);
    }
  } catch (const std::bad_alloc&) {  // as they came, then
  }
  std::vector<Head> heap = heads();
  std::make_heap(heap.begin(), heap.end());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Head head = heap.back();
    heap.pop_back();
    Lane& l = lanes_[head.id];
    const std::size_t from = l.taken;
    std::size_t to = from;
    std::uint64_t time = head.time_ns;
    while (due(time, until_ns, now_ns) && (heap.empty() || time <= heap.front().time_ns)) {
      to += length_at(l.bytes, to);
      if (to == l.bytes.size) break;
      time = time_at(l.bytes, to);
    }
    if (to == from) continue;                   // not due, nor anything behind it
    if (!wire::reserve(out, to - from)) break;  // out of memory: kept, tried again
    std::memcpy(out->data + out->size, l.bytes.data + from, to - from);
    out->size += to - from;
    l.taken = to;
    if (to < l.bytes.size) {
      heap.push_back({time, head.id});
      std::push_heap(heap.begin(), heap.end());
    }
  }
  std::erase_if(used_, [this](std::uint32_t id) {
    Lane& l = lanes_[id];
    drop_taken(&l.bytes, &l.taken);
    if (l.bytes.size != 0 || ++l.unused <= kUnused) return false;
    wire::free_bytes(&l.bytes);
    l.listed = false;
    return true;
  });
}

std::size_t Sequencer::bytes() const {
  std::size_t sum = 0;
  for (const std::uint32_t id : used_) sum += lanes_[id].bytes.size - lanes_[id].taken;
  return sum;
}

std::size_t Sequencer::room() const {
  std::size_t sum = 0;
  for (const Lane& lane : lanes_) sum += lane.bytes.capacity;
  return sum;
}

bool Sequencer::empty() const {
  return std::all_of(used_.begin(), used_.end(),
                     [this](std::uint32_t id) { return lanes_[id].taken == lanes_[id].bytes.size; });
}

}  // namespace podshark::extcap
