//! Makes pictures from uploaded files, one at a time and on a thread of its own, because the largest files
//! need hundreds of megabytes and seconds of processor time that bookings need.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::picture::{Picture, Refused};

/// Most files that a node decodes concurrently.
const AT_WORK_MAX: usize = 1;
/// Most files that wait or are being decoded. Further files are refused.
const TAKEN_MAX: usize = 8;
/// How long a file waits before it is refused.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Why no picture was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Too many files are waiting, or the file has waited too long.
    #[error("too many images are being processed")]
    Busy,
}

#[derive(Debug)]
pub(crate) struct DecodeQueue {
    at_work: Arc<Semaphore>,
    taken: Semaphore,
    wait_max: Duration,
}

impl DecodeQueue {
    pub(crate) fn new() -> Self {
        Self::patient_for(WAIT_MAX)
    }

    fn patient_for(wait_max: Duration) -> Self {
        Self { at_work: Arc::new(Semaphore::new(AT_WORK_MAX)), taken: Semaphore::new(TAKEN_MAX), wait_max }
    }

    pub(crate) async fn prepare(&self, file: Vec<u8>) -> Result<Picture, PrepareError> {
        let _place = self.taken.try_acquire().map_err(|_| PrepareError::Busy)?;
        let turn = timeout(self.wait_max, Arc::clone(&self.at_work).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(PrepareError::Busy) };
        let work = tokio::task::spawn_blocking(move || {
            // The caller may be gone by now, but the thread and its memory are still in use.
            let _turn = turn;
            Picture::read(&file)
        });
        match work.await {
            Ok(picture) => Ok(picture?),
            Err(panic) => {
                tracing::error!(%panic, "decoding an image panicked");
                Err(Refused::Invalid.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_decode_queue_refuses_a_file_at_once() {
        let decode_queue = Arc::new(DecodeQueue::new());
        let turn = Arc::clone(&decode_queue.at_work).acquire_owned().await.unwrap();
        let waiting: Vec<_> = (0..TAKEN_MAX)
            .map(|_| {
                let decode_queue = Arc::clone(&decode_queue);
                tokio::spawn(async move { decode_queue.prepare(Vec::new()).await.err() })
            })
            .collect();
        while decode_queue.taken.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(decode_queue.prepare(Vec::new()).await.err(), Some(PrepareError::Busy));
        drop(turn);
        for file in waiting {
            assert_eq!(file.await.unwrap(), Some(Refused::UnsupportedType.into()));
        }
    }

    #[tokio::test]
    async fn a_file_that_waits_too_long_is_refused() {
        let decode_queue = DecodeQueue::patient_for(Duration::from_millis(10));
        let _turn = Arc::clone(&decode_queue.at_work).acquire_owned().await.unwrap();
        assert_eq!(decode_queue.prepare(Vec::new()).await.err(), Some(PrepareError::Busy));
        assert_eq!(decode_queue.taken.available_permits(), TAKEN_MAX);
    }
}
