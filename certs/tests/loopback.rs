//! Real TLS over loopback: rotations under load, versions, ALPN, resumption, client certificates.

#[cfg(test)]
mod loopback {
    use arc_swap::ArcSwap;
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    };
    use rustls::crypto::aws_lc_rs;
    use rustls::time_provider::TimeProvider;
    use rustls::{
        AlertDescription, CertificateError, ClientConfig, Error, HandshakeKind, PeerIncompatible,
        RootCertStore, SupportedProtocolVersion, version,
    };
    use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
    use std::collections::BTreeSet;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::{Duration, SystemTime};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;
    use tokio_rustls::{TlsAcceptor, TlsConnector};
    use wayguard_certs::{
        AllowedClients, CaBundle, ClientCertificates, ClientMode, MinimumTls, Renewal, RenewalReason,
        SelfMade, ServingCertificate, ServingNames, server_config,
    };

    type Versions = &'static [&'static SupportedProtocolVersion];
    const ONLY_1_2: Versions = &[&version::TLS12];
    const ONLY_1_3: Versions = &[&version::TLS13];
    const BOTH: Versions = &[&version::TLS13, &version::TLS12];
    const DEADLINE: Duration = Duration::from_mins(2);
    const GREETING: &[u8] = b"served";

    /// A server that greets and closes, and tells how each handshake ended.
    struct Server {
        address: SocketAddr,
        outcomes: mpsc::UnboundedReceiver<Result<HandshakeKind, Error>>,
    }

    impl Server {
        async fn start(config: Arc<rustls::ServerConfig>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (sender, outcomes) = mpsc::unbounded_channel();
            let acceptor = TlsAcceptor::from(config);
            tokio::spawn(async move {
                while let Ok((tcp, _)) = listener.accept().await {
                    let (acceptor, sender) = (acceptor.clone(), sender.clone());
                    tokio::spawn(async move {
                        let outcome = match acceptor.accept(tcp).await {
                            Ok(mut tls) => {
                                let kind = tls.get_ref().1.handshake_kind().unwrap();
                                // The client may have left already; the handshake is what counts.
                                let _ = tls.write_all(GREETING).await;
                                let _ = tls.shutdown().await;
                                Ok(kind)
                            }
                            Err(error) => Err(tls_error(error)),
                        };
                        let _ = sender.send(outcome);
                    });
                }
            });
            Self { address, outcomes }
        }

        /// How the server saw the handshake that ended last.
        async fn outcome(&mut self) -> Result<HandshakeKind, Error> {
            tokio::time::timeout(DEADLINE, self.outcomes.recv()).await.unwrap().unwrap()
        }
    }

    fn tls_error(error: std::io::Error) -> Error {
        let text = error.to_string();
        error
            .into_inner()
            .and_then(|inner| inner.downcast::<Error>().ok())
            .map_or_else(|| Error::General(text), |error| *error)
    }

    /// One connection from greeting to end; what the client saw.
    async fn visit(address: SocketAddr, config: Arc<ClientConfig>) -> Result<Option<Vec<u8>>, Error> {
        let work = async {
            let tcp = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            let mut tls = TlsConnector::from(config).connect(name, tcp).await?;
            let mut greeting = Vec::new();
            tls.read_to_end(&mut greeting).await?;
            assert_eq!(greeting, GREETING);
            Ok(tls.get_ref().1.alpn_protocol().map(<[u8]>::to_vec))
        };
        tokio::time::timeout(DEADLINE, work).await.expect("a handshake should end").map_err(tls_error)
    }

    fn roots(bundle: &CaBundle) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        for certificate in bundle.certificates() {
            roots.add(certificate.der().clone()).unwrap();
        }
        roots
    }

    struct Client {
        versions: Versions,
        identity: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
        alpn: Option<&'static [u8]>,
    }

    fn client() -> Client {
        Client { versions: BOTH, identity: None, alpn: None }
    }

    impl Client {
        fn config(self, bundle: &CaBundle) -> Arc<ClientConfig> {
            let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(self.versions)
                .unwrap()
                .with_root_certificates(roots(bundle));
            let mut config = match self.identity {
                Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
                None => builder.with_no_client_auth(),
            };
            config.alpn_protocols.extend(self.alpn.map(<[u8]>::to_vec));
            Arc::new(config)
        }
    }

    fn self_made() -> (SelfMade, CaBundle) {
        let made = SelfMade::new(ServingNames::local(), SystemTime::now()).unwrap();
        let bundle = CaBundle::from_pem(made.bundle_pem().as_bytes()).unwrap();
        (made, bundle)
    }

    fn plain(made: &SelfMade, minimum: MinimumTls) -> Arc<rustls::ServerConfig> {
        server_config(Arc::clone(made.serving()), minimum, None).unwrap()
    }

    /// A CA for clients, signing them by common name.
    struct ClientCa {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    impl ClientCa {
        fn new() -> Self {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            Self { pem: params.self_signed(&key).unwrap().pem(), issuer: Issuer::new(params, key) }
        }

        fn client(&self, common_name: &str) -> Client {
            let mut params = CertificateParams::default();
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, common_name);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
            Client { identity: Some((certificate, key.into())), ..client() }
        }

        fn verifier(&self, mode: ClientMode) -> Arc<ClientCertificates> {
            let allowed = AllowedClients::Named(BTreeSet::from(["kube-apiserver".to_owned()]));
            ClientCertificates::new(mode, self.pem.as_bytes(), allowed).unwrap().unwrap()
        }
    }

    /// A clock that the test sets: clients verify by it, the authority renews by it.
    #[derive(Debug)]
    struct Clock(AtomicU64);

    impl Clock {
        fn at(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
        }

        fn set(&self, time: SystemTime) {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            self.0.store(since.as_secs(), Ordering::SeqCst);
        }
    }

    impl TimeProvider for Clock {
        fn current_time(&self) -> Option<UnixTime> {
            Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::SeqCst))))
        }
    }

    /// What the clients of the rotation test share with the one who rotates.
    struct Load {
        clock: Arc<Clock>,
        bundle: ArcSwap<CaBundle>,
        generation: AtomicU64,
        begun: Vec<AtomicU64>,
        handshakes: AtomicU64,
        stop: AtomicBool,
    }

    impl Load {
        /// Full handshakes without pause, each with the bundle that is published when it begins.
        async fn client(self: Arc<Self>, number: usize, address: SocketAddr) -> Result<(), Error> {
            while !self.stop.load(Ordering::SeqCst) {
                self.begun[number].store(self.generation.load(Ordering::SeqCst), Ordering::SeqCst);
                let time = Arc::clone(&self.clock) as Arc<dyn TimeProvider>;
                let config =
                    ClientConfig::builder_with_details(Arc::new(aws_lc_rs::default_provider()), time)
                        .with_protocol_versions(ONLY_1_3)
                        .unwrap()
                        .with_root_certificates(roots(&self.bundle.load()))
                        .with_no_client_auth();
                visit(address, Arc::new(config)).await?;
                self.handshakes.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        }

        /// Waits until every client has begun a handshake with what is published now: `observed`.
        async fn everyone_has_seen_it(&self) {
            let generation = self.generation.fetch_add(1, Ordering::SeqCst) + 1;
            let seen = async {
                while self.begun.iter().any(|begun| begun.load(Ordering::SeqCst) < generation) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(DEADLINE, seen).await.expect("every client should go on");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hundred_rotations_under_load_fail_no_handshake() {
        const CLIENTS: usize = 6;
        let start = SystemTime::now();
        let clock = Arc::new(Clock(AtomicU64::new(0)));
        clock.set(start);
        let made = SelfMade::new(ServingNames::local(), clock.at()).unwrap();
        let bundle = CaBundle::from_pem(made.bundle_pem().as_bytes()).unwrap();
        let server = Server::start(plain(&made, MinimumTls::default())).await;
        let load = Arc::new(Load {
            clock: Arc::clone(&clock),
            bundle: ArcSwap::from_pointee(bundle),
            generation: AtomicU64::new(0),
            begun: (0..CLIENTS).map(|_| AtomicU64::new(0)).collect(),
            handshakes: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| tokio::spawn(Arc::clone(&load).client(number, server.address)))
            .collect();
        let mut authorities = 0;
        while made.serving().swaps() < 101 {
            let tick = made.tick(clock.at()).unwrap();
            if let Some(bundle) = tick.bundle {
                load.bundle.store(Arc::new(bundle));
            }
            authorities +=
                u32::from(tick.leaf == Renewal::Renewed { reason: RenewalReason::AuthorityChanged });
            load.everyone_has_seen_it().await;
            let soon = tick.check_again_at < clock.at() + Duration::from_hours(1);
            clock.set(if soon { tick.check_again_at } else { clock.at() + Duration::from_hours(240) });
            load.everyone_has_seen_it().await;
        }
        load.stop.store(true, Ordering::SeqCst);
        for client in clients {
            client.await.unwrap().expect("no handshake may fail");
        }
        assert!(authorities >= 15, "the authority was replaced {authorities} times");
        let handshakes = load.handshakes.load(Ordering::SeqCst);
        assert!(handshakes >= 1000, "only {handshakes} handshakes");
    }

    #[tokio::test]
    async fn tls_1_2_is_refused_unless_it_is_asked_for() {
        let (made, bundle) = self_made();
        let old = || Client { versions: ONLY_1_2, ..client() }.config(&bundle);
        let mut server = Server::start(plain(&made, MinimumTls::default())).await;
        let refused = visit(server.address, old()).await.unwrap_err();
        assert_eq!(refused, Error::AlertReceived(AlertDescription::ProtocolVersion));
        let reason = server.outcome().await.unwrap_err();
        assert!(
            matches!(
                reason,
                Error::PeerIncompatible(
                    PeerIncompatible::SupportedVersionsExtensionRequired
                        | PeerIncompatible::Tls12NotOfferedOrEnabled
                )
            ),
            "{reason:?}"
        );
        visit(server.address, client().config(&bundle)).await.unwrap();
        let lenient = Server::start(plain(&made, MinimumTls::V1_2)).await;
        visit(lenient.address, old()).await.unwrap();
        visit(lenient.address, client().config(&bundle)).await.unwrap();
    }

    #[tokio::test]
    async fn http_1_1_is_the_only_protocol() {
        let (made, bundle) = self_made();
        let mut server = Server::start(plain(&made, MinimumTls::default())).await;
        let with = |alpn: &'static [u8]| Client { alpn: Some(alpn), ..client() }.config(&bundle);
        assert_eq!(visit(server.address, with(b"http/1.1")).await.unwrap().unwrap(), b"http/1.1");
        server.outcome().await.unwrap();
        let refused = visit(server.address, with(b"h2")).await.unwrap_err();
        assert_eq!(refused, Error::AlertReceived(AlertDescription::NoApplicationProtocol));
        assert_eq!(server.outcome().await.unwrap_err(), Error::NoApplicationProtocol);
    }

    #[tokio::test]
    async fn sessions_are_resumed_also_after_the_leaf_was_replaced() {
        let (made, bundle) = self_made();
        for versions in [ONLY_1_3, ONLY_1_2] {
            let mut server = Server::start(plain(&made, MinimumTls::V1_2)).await;
            let config = Client { versions, ..client() }.config(&bundle);
            visit(server.address, Arc::clone(&config)).await.unwrap();
            assert_ne!(server.outcome().await.unwrap(), HandshakeKind::Resumed);
            made.tick(SystemTime::now() + Duration::from_hours(61 * 24)).unwrap();
            visit(server.address, config).await.unwrap();
            assert_eq!(server.outcome().await.unwrap(), HandshakeKind::Resumed);
            made.tick(SystemTime::now()).unwrap();
        }
    }

    #[tokio::test]
    async fn without_a_certificate_handshakes_fail_and_with_the_first_one_they_do_not() {
        let (made, bundle) = self_made();
        let serving = ServingCertificate::empty();
        let config = server_config(Arc::clone(&serving), MinimumTls::default(), None).unwrap();
        let mut server = Server::start(config).await;
        let refused = visit(server.address, client().config(&bundle)).await.unwrap_err();
        assert_eq!(refused, Error::AlertReceived(AlertDescription::AccessDenied));
        server.outcome().await.unwrap_err();
        serving.replace(made.serving().current().unwrap().as_ref().clone());
        visit(server.address, client().config(&bundle)).await.unwrap();
    }

    #[tokio::test]
    async fn a_client_is_let_in_only_with_a_certificate_of_the_right_name_from_the_right_ca() {
        let (made, bundle) = self_made();
        let (ca, other_ca) = (ClientCa::new(), ClientCa::new());
        let verifier = ca.verifier(ClientMode::Required);
        let serving = Arc::clone(made.serving());
        let config = server_config(serving, MinimumTls::default(), Some(Arc::clone(&verifier))).unwrap();
        let mut server = Server::start(config).await;

        visit(server.address, ca.client("kube-apiserver").config(&bundle)).await.unwrap();
        server.outcome().await.unwrap();

        let wrong_name = ca.client("system:node:one").config(&bundle);
        for _ in 0..50 {
            let refused = visit(server.address, Arc::clone(&wrong_name)).await.unwrap_err();
            assert_eq!(refused, Error::AlertReceived(AlertDescription::AccessDenied));
            let reason = server.outcome().await.unwrap_err();
            let expected = CertificateError::ApplicationVerificationFailure;
            assert_eq!(reason, Error::InvalidCertificate(expected));
        }
        let refused = visit(server.address, client().config(&bundle)).await.unwrap_err();
        assert_eq!(refused, Error::AlertReceived(AlertDescription::CertificateRequired));
        assert_eq!(server.outcome().await.unwrap_err(), Error::NoCertificatesPresented);

        visit(server.address, other_ca.client("kube-apiserver").config(&bundle)).await.unwrap_err();
        let reason = server.outcome().await.unwrap_err();
        assert!(matches!(reason, Error::InvalidCertificate(_)), "{reason:?}");
        assert_eq!(verifier.refused(), 51);
    }

    #[tokio::test]
    async fn an_optional_certificate_may_be_missing_but_not_wrong() {
        let (made, bundle) = self_made();
        let ca = ClientCa::new();
        let config = server_config(
            Arc::clone(made.serving()),
            MinimumTls::V1_2,
            Some(ca.verifier(ClientMode::Optional)),
        )
        .unwrap();
        for versions in [ONLY_1_3, ONLY_1_2] {
            let mut server = Server::start(Arc::clone(&config)).await;
            visit(server.address, Client { versions, ..client() }.config(&bundle)).await.unwrap();
            server.outcome().await.unwrap();
            let right = Client { versions, ..ca.client("kube-apiserver") };
            visit(server.address, right.config(&bundle)).await.unwrap();
            server.outcome().await.unwrap();
            let wrong = Client { versions, ..ca.client("somebody") };
            let refused = visit(server.address, wrong.config(&bundle)).await.unwrap_err();
            assert_eq!(refused, Error::AlertReceived(AlertDescription::AccessDenied));
            assert_eq!(
                server.outcome().await.unwrap_err(),
                Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
            );
        }
    }

    #[tokio::test]
    async fn a_client_whose_ca_was_withdrawn_does_not_come_back_by_resumption() {
        let (made, bundle) = self_made();
        let (old, new) = (ClientCa::new(), ClientCa::new());
        let verifier = old.verifier(ClientMode::Required);
        let serving = Arc::clone(made.serving());
        let config = server_config(serving, MinimumTls::V1_2, Some(Arc::clone(&verifier))).unwrap();
        for versions in [ONLY_1_3, ONLY_1_2] {
            verifier.replace_ca(old.pem.as_bytes()).unwrap();
            let mut server = Server::start(Arc::clone(&config)).await;
            let client = Client { versions, ..old.client("kube-apiserver") }.config(&bundle);
            for _ in 0..2 {
                visit(server.address, Arc::clone(&client)).await.unwrap();
                assert_ne!(server.outcome().await.unwrap(), HandshakeKind::Resumed);
            }
            verifier.replace_ca(new.pem.as_bytes()).unwrap();
            visit(server.address, client).await.unwrap_err();
            let reason = server.outcome().await.unwrap_err();
            assert!(matches!(reason, Error::InvalidCertificate(_)), "{reason:?}");
            let newcomer = Client { versions, ..new.client("kube-apiserver") };
            visit(server.address, newcomer.config(&bundle)).await.unwrap();
        }
    }
}
