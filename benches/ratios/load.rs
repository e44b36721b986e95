//! A small load generator: keep-alive connections on one thread, one request in flight on each.
//!
//! It has to cost less than what it measures, or every server looks alike. So an answer is parsed once for each length
//! it comes in, and [`Run::busy`] tells how much of a core the other side used: a ratio of rates means something only
//! while both sides are near or above one.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Connections that send at the same time.
const CONNECTIONS: usize = 64;

/// What is sent: whole requests, head and body.
#[derive(Debug, Clone)]
pub(crate) enum Requests {
    /// Any of these, over and over.
    Again(Arc<[Vec<u8>]>),
    /// Each of these once; the run ends with the last.
    Once(Arc<[Vec<u8>]>),
}

/// What a run saw.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) requests_per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Processor time of everything in this process but the generator, for each request.
    pub(crate) cost: Duration,
    /// Cores that everything but the generator used.
    pub(crate) busy: f64,
}

/// Sends for `time` and expects `status` every time.
pub(crate) fn run(address: SocketAddr, requests: &Requests, status: u16, time: Duration) -> Run {
    let requests = requests.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(send_from_all(address, requests, status, time))
    })
    .join()
    .unwrap()
}

async fn send_from_all(
    address: SocketAddr,
    requests: Requests,
    status: u16,
    time: Duration,
) -> Run {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        streams.push(stream);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let (whole, own) = (
        processor_time("/proc/self/stat"),
        processor_time("/proc/thread-self/stat"),
    );
    let started = Instant::now();
    let senders: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let (requests, next) = (requests.clone(), Arc::clone(&next));
            tokio::spawn(send(stream, requests, next, status, started + time))
        })
        .collect();
    let mut latencies = Vec::new();
    for sender in senders {
        latencies.extend(sender.await.unwrap());
    }
    let took = started.elapsed();
    let whole = processor_time("/proc/self/stat").saturating_sub(whole);
    let own = processor_time("/proc/thread-self/stat").saturating_sub(own);
    latencies.sort_unstable();
    let at = |part: usize| latencies[(latencies.len() - 1) * part / 100];
    let others = whole.saturating_sub(own);
    Run {
        requests_per_second: latencies.len() as f64 / took.as_secs_f64(),
        p50: at(50),
        p99: at(99),
        cost: others / u32::try_from(latencies.len()).unwrap(),
        busy: others.as_secs_f64() / took.as_secs_f64(),
    }
}

async fn send(
    mut stream: TcpStream,
    requests: Requests,
    next: Arc<AtomicUsize>,
    status: u16,
    until: Instant,
) -> Vec<Duration> {
    let mut latencies = Vec::new();
    let mut answers = Answers {
        status: format!("HTTP/1.1 {status} ").into_bytes(),
        bytes: Vec::with_capacity(4096),
        whole: 0,
    };
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let request = match &requests {
            Requests::Again(all) => Some(&all[number.wrapping_mul(7_919) % all.len()]),
            Requests::Once(all) => all.get(number),
        };
        let sent = Instant::now();
        let Some(request) = request.filter(|_| sent < until) else {
            return latencies;
        };
        stream.write_all(request).await.unwrap();
        answers.read(&mut stream).await;
        latencies.push(sent.elapsed());
    }
}

/// Answers of one connection, one after the other.
struct Answers {
    status: Vec<u8>,
    bytes: Vec<u8>,
    /// Length of the last answer that was parsed: most are as long as the one before.
    whole: usize,
}

impl Answers {
    /// Reads one whole answer. What a server sends is ours to know: a length, and no chunks.
    async fn read(&mut self, stream: &mut TcpStream) {
        self.bytes.clear();
        loop {
            let read = stream.read_buf(&mut self.bytes).await.unwrap();
            assert!(read > 0, "the server hung up after {}", self.text());
            if self.bytes.len() == self.whole || self.is_whole() {
                // Bytes that were still to come would be taken for the next answer, and fail it here.
                let expected = self.bytes.starts_with(&self.status);
                assert!(expected, "{}", self.text());
                self.whole = self.bytes.len();
                return;
            }
        }
    }

    fn is_whole(&self) -> bool {
        let Some(head) = self.bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            return false;
        };
        let text = String::from_utf8_lossy(&self.bytes[..head]);
        self.bytes.len() >= head + 4 + length_of_body(&text)
    }

    fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

fn length_of_body(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap())
}

/// Processor time of this process so far.
pub(crate) fn process_time() -> Duration {
    processor_time("/proc/self/stat")
}

/// User and system time of a process or thread, in the kernel's ticks of 10 ms.
fn processor_time(file: &str) -> Duration {
    let text = std::fs::read_to_string(file).unwrap();
    let fields: Vec<&str> = text[text.rfind(')').unwrap()..]
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
