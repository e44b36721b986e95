//! A small load generator: keep-alive connections on one thread, one request in flight on each.

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
    /// Processor time of everything but the generator, for each request.
    pub(crate) cost: Duration,
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
    Run {
        requests_per_second: latencies.len() as f64 / took.as_secs_f64(),
        p50: at(50),
        p99: at(99),
        cost: whole.saturating_sub(own) / u32::try_from(latencies.len()).unwrap(),
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
    let mut answer = Vec::new();
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
        read_answer(&mut stream, &mut answer, status).await;
        latencies.push(sent.elapsed());
    }
}

/// Reads one whole answer. What a server sends is ours to know: a length, and no chunks.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>, status: u16) {
    answer.clear();
    loop {
        let read = stream.read_buf(answer).await.unwrap();
        assert!(
            read > 0,
            "the server hung up after {:?}",
            String::from_utf8_lossy(answer)
        );
        let Some(head) = answer.windows(4).position(|w| w == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&answer[..head]);
        assert_eq!(
            text.get(9..12),
            Some(status.to_string().as_str()),
            "{}",
            String::from_utf8_lossy(answer)
        );
        if answer.len() >= head + 4 + length_of_body(&text) {
            return;
        }
    }
}

fn length_of_body(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap())
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
