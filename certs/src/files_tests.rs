//! Tests of mounted files: swapped as the kubelet swaps them, torn, broken, late, and never written.

use super::*;
use crate::authority::{Authority, LEAF_LIFE, PemPair};
use crate::certificate::Untimely;
use crate::clients::tests::{any_client_of, authority as client_authority};
use crate::leaf::LeafError;
use crate::pem_text::MAX_PEM_BYTES;
use crate::samples::{assert_holds_nothing_of, now, params, self_signed_with_key};
use std::fs;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

/// A volume as the kubelet mounts it: `tls.crt` → `..data/tls.crt`, `..data` → a folder that is replaced whole.
struct Volume {
    folder: TempDir,
    generation: std::cell::Cell<u32>,
}

impl Volume {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["tls.crt", "tls.key"] {
            symlink(format!("..data/{file}"), folder.path().join(file)).unwrap();
        }
        Self { folder, generation: std::cell::Cell::new(0) }
    }

    fn swap(&self, cert: &str, key: &str) {
        let generation = self.generation.replace(self.generation.get() + 1);
        let name = format!("..generation-{generation}");
        fs::create_dir(self.folder.path().join(&name)).unwrap();
        fs::write(self.folder.path().join(&name).join("tls.crt"), cert).unwrap();
        fs::write(self.folder.path().join(&name).join("tls.key"), key).unwrap();
        symlink(&name, self.folder.path().join("..data_tmp")).unwrap();
        fs::rename(self.folder.path().join("..data_tmp"), self.folder.path().join("..data")).unwrap();
    }

    fn put(&self, pair: &PemPair) {
        self.swap(&pair.certificate, pair.key.expose());
    }

    fn files(&self) -> CertificateFiles {
        CertificateFiles { cert: self.folder.path().join("tls.crt"), key: self.folder.path().join("tls.key") }
    }
}

struct Mounted {
    volume: Volume,
    authority: Authority,
    serving: Arc<ServingCertificate>,
    reloader: Arc<CertificateReloader>,
}

fn mounted() -> Mounted {
    let volume = Volume::new();
    let serving = ServingCertificate::empty();
    let reloader =
        Arc::new(CertificateReloader::new(volume.files(), ServingNames::local(), Arc::clone(&serving)));
    Mounted { volume, authority: Authority::generate(now()).unwrap(), serving, reloader }
}

impl Mounted {
    fn issue(&self) -> PemPair {
        self.authority.issue_pem(&ServingNames::local(), now()).unwrap()
    }

    fn problem(&self) -> FileProblem {
        match self.reloader.check(now()) {
            FileEvent::Kept { problem, .. } => problem,
            other => panic!("expected a problem, got {other:?}"),
        }
    }

    fn serves(&self, pair: &PemPair) -> bool {
        let served = self.serving.current().unwrap();
        served.certificate().to_pem() == pair.certificate
    }
}

#[test]
fn a_pair_is_loaded_once_and_again_when_the_volume_is_swapped() {
    let mounted = mounted();
    let (first, second) = (mounted.issue(), mounted.issue());
    mounted.volume.put(&first);
    let loaded = FileEvent::Loaded { not_after: now() + LEAF_LIFE, warnings: vec![] };
    assert_eq!(mounted.reloader.check(now()), loaded);
    assert_eq!(mounted.reloader.check(now()), FileEvent::Unchanged);
    // The same content at another place is not a change.
    mounted.volume.put(&first);
    assert_eq!(mounted.reloader.check(now()), FileEvent::Unchanged);
    mounted.volume.put(&second);
    assert_eq!(mounted.reloader.check(now()), loaded);
    assert!(mounted.serves(&second));
    assert_eq!((mounted.reloader.loaded(), mounted.reloader.failed(), mounted.serving.swaps()), (2, 0, 2));
}

#[test]
fn before_the_files_are_there_nothing_is_served_and_the_problem_names_the_file() {
    let mounted = mounted();
    let problem = mounted.problem();
    assert!(
        matches!(&problem, FileProblem::Unreadable { path, .. } if path.ends_with("tls.crt")),
        "{problem}"
    );
    assert_eq!(mounted.reloader.problem(), Some(problem.clone()));
    assert_eq!(mounted.reloader.failed(), 1);
    assert_eq!(mounted.reloader.check(now()), FileEvent::Kept { problem, repeated: true });
    assert_eq!(mounted.reloader.failed(), 2);
    mounted.serving.is_valid_at(now()).unwrap_err();
    mounted.volume.put(&mounted.issue());
    assert!(matches!(mounted.reloader.check(now()), FileEvent::Loaded { .. }));
    assert_eq!(mounted.reloader.problem(), None);
    mounted.serving.is_valid_at(now()).unwrap();
}

#[test]
fn torn_broken_and_huge_files_leave_the_last_good_pair_in_service() {
    let mounted = mounted();
    let (good, other) = (mounted.issue(), mounted.issue());
    mounted.volume.put(&good);
    mounted.reloader.check(now());
    let (cert, key) = (good.certificate.as_str(), good.key.expose());
    let (other_cert, other_key) = (other.certificate.as_str(), other.key.expose());
    let huge = format!("{other_cert}{}", "\n".repeat(MAX_PEM_BYTES));
    let one_line = other_key.replace('\n', " ");
    let half = |text: &str| text[..text.len() / 2].to_owned();
    let broken_cases = [
        (other_cert.to_owned(), key.to_owned(), "does not belong"),
        (cert.to_owned(), other_key.to_owned(), "does not belong"),
        (half(other_cert), other_key.to_owned(), "damaged"),
        (other_cert.to_owned(), half(other_key), "damaged"),
        (other_cert.to_owned(), one_line, "damaged"),
        (other_cert.to_owned(), String::new(), "no unencrypted private key"),
        (String::new(), other_key.to_owned(), "no `-----BEGIN CERTIFICATE-----` section"),
        (huge, other_key.to_owned(), "more than 65536 bytes"),
        (other_key.to_owned(), other_cert.to_owned(), "no `-----BEGIN CERTIFICATE-----` section"),
    ];
    let count = broken_cases.len() as u64;
    for (cert, key, words) in broken_cases {
        mounted.volume.swap(&cert, &key);
        let problem = mounted.problem();
        assert!(problem.to_string().contains(words), "{problem} should say: {words}");
        assert!(problem.to_string().contains("tls.crt"), "{problem}");
        let shown = format!("{problem} {problem:?} {:?}", mounted.reloader);
        assert_holds_nothing_of(good.key.expose(), &shown);
        assert_holds_nothing_of(other.key.expose(), &shown);
        assert!(mounted.serves(&good));
    }
    assert_eq!((mounted.reloader.failed(), mounted.reloader.loaded()), (count, 1));
    mounted.volume.put(&good);
    assert_eq!(mounted.reloader.check(now()), FileEvent::Unchanged);
    assert_eq!(mounted.reloader.problem(), None, "the good content is back");
}

#[test]
fn a_certificate_of_another_time_waits_until_it_fits() {
    let mounted = mounted();
    mounted.volume.put(&mounted.issue());
    mounted.reloader.check(now());
    let ahead = now() + Duration::from_hours(5);
    mounted.volume.put(&mounted.authority.issue_pem(&ServingNames::local(), ahead).unwrap());
    let FileProblem::Untimely { cause, .. } = mounted.problem() else { panic!("it is not valid yet") };
    assert_eq!(cause, Untimely::NotYetValid { not_before: ahead - Duration::from_hours(1) });
    assert_eq!(mounted.serving.swaps(), 1);
    assert!(matches!(mounted.reloader.check(ahead), FileEvent::Loaded { .. }), "without another change");

    let (expired, key) = self_signed_with_key(&params(&["localhost"], now() - Duration::from_hours(48)));
    mounted.volume.swap(&expired.to_pem(), &key);
    let FileProblem::Untimely { cause, .. } = mounted.problem() else { panic!("it has expired") };
    assert_eq!(cause, Untimely::Expired { not_after: expired.not_after() });
}

#[test]
fn names_that_are_not_covered_are_warned_of_and_served_all_the_same() {
    let mounted = mounted();
    let names = ServingNames::default().with_dns("elsewhere");
    mounted.volume.put(&mounted.authority.issue_pem(&names, now()).unwrap());
    let FileEvent::Loaded { warnings, .. } = mounted.reloader.check(now()) else {
        panic!("it can be served")
    };
    let expected =
        "the certificate does not cover `localhost`, `127.0.0.1`, `::1`; it covers `elsewhere`".to_owned();
    assert_eq!(warnings, [expected]);
    assert_eq!(mounted.serving.swaps(), 1);
}

#[test]
fn a_folder_or_a_pipe_in_place_of_a_file_is_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let files = CertificateFiles { cert: folder.path().to_owned(), key: folder.path().to_owned() };
    let reloader = CertificateReloader::new(files, ServingNames::local(), ServingCertificate::empty());
    let FileEvent::Kept { problem, .. } = reloader.check(now()) else {
        panic!("a folder holds no certificate")
    };
    assert!(problem.to_string().ends_with("cannot be read: it is not a file"), "{problem}");
}

#[test]
fn the_files_are_never_written() {
    let mounted = mounted();
    let pair = mounted.issue();
    mounted.volume.put(&pair);
    let listed = || {
        let mut names: Vec<_> = fs::read_dir(mounted.volume.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let before = listed();
    for at in [now(), now() + LEAF_LIFE, now() + 2 * LEAF_LIFE] {
        mounted.reloader.check(at);
    }
    let files = mounted.volume.files();
    assert_eq!(fs::read_to_string(files.cert).unwrap(), pair.certificate);
    assert_eq!(fs::read_to_string(files.key).unwrap(), pair.key.expose());
    assert_eq!(listed(), before);
}

/// A writer that swaps without pause while the reader checks without pause: what is loaded is always a pair.
#[test]
fn a_reader_in_the_middle_of_swaps_never_serves_half_of_each() {
    let mounted = mounted();
    let pairs: Vec<_> = (0..4).map(|_| mounted.issue()).collect();
    mounted.volume.put(&pairs[0]);
    mounted.reloader.check(now());
    let stop = std::sync::atomic::AtomicBool::new(false);
    let reloader = Arc::clone(&mounted.reloader);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut met = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                match reloader.check(now()) {
                    // Torn pairs are met and kept out; nothing else goes wrong.
                    FileEvent::Kept {
                        problem:
                            FileProblem::Changing { .. }
                            | FileProblem::Leaf { cause: LeafError::KeyMismatch { .. }, .. },
                        ..
                    }
                    | FileEvent::Unchanged => {}
                    FileEvent::Loaded { .. } => met += 1,
                    other @ FileEvent::Kept { .. } => panic!("{other:?}"),
                }
            }
            met
        });
        for _ in 0..50 {
            for pair in &pairs {
                mounted.volume.put(pair);
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0, "no swap was seen");
    });
    mounted.reloader.check(now());
    assert!(mounted.serves(&pairs[3]));
}

#[tokio::test]
async fn the_loop_loads_what_is_mounted_while_it_runs() {
    let mounted = mounted();
    let every = Duration::from_millis(5);
    let running = tokio::spawn(Arc::clone(&mounted.reloader).keep(every, now));
    for _ in 0..2 {
        let pair = mounted.issue();
        mounted.volume.put(&pair);
        tokio::time::timeout(Duration::from_secs(10), async {
            while mounted.serving.current().is_none() || !mounted.serves(&pair) {
                tokio::time::sleep(every).await;
            }
        })
        .await
        .expect("the pair should be in service within seconds");
    }
    running.abort();
}

#[test]
fn the_ca_of_clients_follows_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    let open = |mode| ClientCaReloader::open(&path, mode, AllowedClients::AnyFromCa);
    assert!(open(ClientMode::Off).unwrap().is_none());
    assert!(matches!(open(ClientMode::Required).unwrap_err(), FileProblem::Unreadable { .. }));
    fs::write(&path, "nonsense").unwrap();
    assert!(matches!(open(ClientMode::Required).unwrap_err(), FileProblem::Clients { .. }));

    let (first, second) = (client_authority(), client_authority());
    fs::write(&path, first.0.to_pem()).unwrap();
    let reloader = open(ClientMode::Required).unwrap().unwrap();
    assert_eq!(reloader.check(), FileEvent::Unchanged);
    assert_eq!(reloader.clients().not_after(), any_client_of(&first).not_after());
    fs::write(&path, "nonsense").unwrap();
    assert!(matches!(reloader.check(), FileEvent::Kept { repeated: false, .. }));
    assert!(reloader.problem().unwrap().to_string().contains("ca.crt"));
    fs::write(&path, second.0.to_pem()).unwrap();
    let not_after = second.0.not_after();
    assert_eq!(reloader.check(), FileEvent::Loaded { not_after, warnings: vec![] });
    assert_eq!((reloader.failed(), reloader.problem()), (1, None));
}
