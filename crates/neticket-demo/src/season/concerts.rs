//! Pop, rock, indie, jazz and electronic music.

use super::show::{Sale, Show, Taken, at, grade};
use crate::poster::{self as colours, Design, Face, Scene};

pub(super) const SHOWS: &[Show] = &[
    Show {
        title: "루나블룸 월드투어 인 서울",
        place: "서울 올림픽 스카이돔",
        starts: at(27, 18, 0),
        sale: Sale::OpenSince { days: 5 },
        taken: Taken::Some(60),
        max_per_user: 2,
        grades: &[
            grade("스탠딩 VIP", 198_000, 1200),
            grade("스탠딩", 165_000, 6800),
            grade("지정석 R", 154_000, 7000),
            grade("지정석 S", 132_000, 5000),
        ],
        story: "세 대륙 19개 도시를 돈 루나블룸이 월드투어의 마지막 밤을 서울에서 연다. \
                360도 중앙 무대와 1만 개의 드론 조명, 다섯 멤버의 솔로 무대가 처음으로 \
                공개된다. 공연 전 사운드체크 입장권은 스탠딩 VIP에 포함된다. 본인 확인을 \
                위해 신분증을 지참해야 한다.",
        running_time: "150분 (인터미션 없음)",
        age_limit: "8세 이상 관람가 (스탠딩 13세 이상)",
        design: Design {
            scene: Scene::Spotlights,
            palette: colours::NEON,
            face: Face::BLACK,
            genre: "WORLD TOUR",
            byline: "LUNABLOOM 5인 완전체",
        },
    },
    Show {
        title: "민트베어 팬콘서트: 첫눈",
        place: "서울 잠실 크리스탈아레나",
        starts: at(38, 17, 0),
        sale: Sale::OpensInTwoMinutes,
        taken: Taken::Nothing,
        max_per_user: 2,
        grades: &[grade("VIP석", 154_000, 900), grade("R석", 132_000, 2600), grade("S석", 110_000, 1500)],
        story: "데뷔 3주년을 맞은 밴드 민트베어가 팬들과 함께 첫눈을 기다린다. 미공개 데모 \
                네 곡과 팬 투표로 정한 세트리스트, 관객이 함께 부르는 코러스 녹음이 준비되어 \
                있다. 녹음된 목소리는 다음 음반에 실린다.",
        running_time: "130분 (인터미션 없음)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Bokeh,
            palette: colours::SEA,
            face: Face::BLACK,
            genre: "FAN CONCERT",
            byline: "MINT BEAR 3주년",
        },
    },
    Show {
        title: "강이솔 전국투어: 느린 우체통",
        place: "서울 여의도 한강공연장",
        starts: at(16, 19, 0),
        sale: Sale::OpenSince { days: 12 },
        taken: Taken::Some(80),
        max_per_user: 4,
        grades: &[grade("VIP석", 143_000, 500), grade("R석", 121_000, 1400), grade("S석", 99_000, 1100)],
        story: "'느린 우체통'과 '오월의 버스'로 사랑받은 싱어송라이터 강이솔의 첫 전국투어. \
                현악 사중주와 함께 원곡보다 반 박자 느리게 편곡한 노래들을 들려준다. 로비의 \
                우체통에 넣은 편지는 1년 뒤 도착한다.",
        running_time: "120분 (인터미션 없음)",
        age_limit: "7세 이상 관람가",
        design: Design {
            scene: Scene::Bloom,
            palette: colours::LILAC,
            face: Face::SERIF,
            genre: "CONCERT",
            byline: "강이솔 전국투어 서울",
        },
    },
    Show {
        title: "강이솔 전국투어: 부산",
        place: "부산 벡스홀 컨벤션극장",
        starts: at(30, 18, 0),
        sale: Sale::OpensInHours { hours: 44 },
        taken: Taken::Nothing,
        max_per_user: 4,
        grades: &[grade("R석", 121_000, 900), grade("S석", 99_000, 800)],
        story: "서울에 이어 부산에서 만나는 강이솔의 전국투어. 부산 공연에는 고향 친구들로 \
                꾸린 7인조 밴드가 함께하고, 바다를 주제로 한 신곡을 처음 부른다. 관객의 \
                사연으로 즉석에서 노래 한 곡을 만드는 순서도 이어진다.",
        running_time: "120분 (인터미션 없음)",
        age_limit: "7세 이상 관람가",
        design: Design {
            scene: Scene::Waves,
            palette: colours::JADE,
            face: Face::SERIF,
            genre: "CONCERT",
            byline: "강이솔 전국투어 부산",
        },
    },
    Show {
        title: "골목레코드 단독공연",
        place: "서울 홍대 클럽 온스테이지",
        starts: at(5, 19, 30),
        sale: Sale::OpenSince { days: 16 },
        taken: Taken::All,
        max_per_user: 2,
        grades: &[grade("스탠딩", 44_000, 150)],
        story: "정규 2집 '재생목록의 끝'을 처음부터 끝까지 순서대로 연주하는 밤. 앨범을 \
                함께 만든 브라스 세션 네 명이 무대에 오르고, 공연 실황은 카세트로만 \
                발매된다. 스탠딩 공연이며 물품 보관소를 무료로 운영한다.",
        running_time: "110분 (인터미션 없음)",
        age_limit: "14세 이상 관람가",
        design: Design {
            scene: Scene::Vinyl,
            palette: colours::EMBER,
            face: Face::BLACK,
            genre: "INDIE",
            byline: "정규 2집 '재생목록의 끝'",
        },
    },
    Show {
        title: "새벽네시 + 파랑주의보",
        place: "부산 서면 지하라이브홀",
        starts: at(10, 19, 0),
        sale: Sale::OpenSince { days: 8 },
        taken: Taken::Some(18),
        max_per_user: 4,
        grades: &[grade("스탠딩", 38_000, 220)],
        story: "서울의 드림팝 밴드 새벽네시와 부산의 서프록 밴드 파랑주의보가 한 무대에 선다. \
                각자 60분씩 연주한 뒤 서로의 노래 한 곡씩을 바꾸어 부른다. 예매 관객에게는 \
                두 밴드의 합동 싱글이 실린 엽서를 준다.",
        running_time: "140분 (전환 20분 포함)",
        age_limit: "14세 이상 관람가",
        design: Design {
            scene: Scene::Equalizer,
            palette: colours::SUNSET,
            face: Face::BLACK,
            genre: "INDIE",
            byline: "두 밴드, 하룻밤",
        },
    },
    Show {
        title: "문라이트 쿼텟: 서울 야간비행",
        place: "서울 청담 재즈살롱",
        starts: at(3, 20, 30),
        sale: Sale::OpenSince { days: 21 },
        taken: Taken::All,
        max_per_user: 2,
        grades: &[grade("테이블석", 70_000, 32), grade("바석", 50_000, 12)],
        story: "피아니스트 오세림이 이끄는 문라이트 쿼텟이 자정의 서울을 내려다보는 기분으로 \
                고른 열두 곡. 마흔네 석의 작은 방에서 마이크 없이 연주하는 어쿠스틱 세트다. \
                1부는 스탠더드, 2부는 즉흥 모음곡 '활주로'로 꾸민다.",
        running_time: "100분 (휴식 15분 포함)",
        age_limit: "19세 이상 관람가",
        design: Design {
            scene: Scene::Skyline,
            palette: colours::MIDNIGHT,
            face: Face::SANS,
            genre: "JAZZ",
            byline: "오세림 · 문라이트 쿼텟",
        },
    },
    Show {
        title: "윈터 빅밴드 스윙파티",
        place: "대구 동성로 스윙홀",
        starts: at(21, 19, 0),
        sale: Sale::OpenSince { days: 6 },
        taken: Taken::Some(26),
        max_per_user: 6,
        grades: &[grade("플로어", 55_000, 300), grade("테이블석", 77_000, 80)],
        story: "열일곱 명의 빅밴드와 함께 춤추는 겨울 파티. 공연 한 시간 전에는 처음 오는 \
                사람을 위한 스윙 댄스 수업이 열린다. 카운트 베이시와 듀크 엘링턴의 명곡에 \
                캐럴을 섞어 쉬지 않고 연주한다. 빈티지 의상을 입고 오면 음료 한 잔을 \
                드린다.",
        running_time: "180분 (휴식 20분 포함)",
        age_limit: "19세 이상 관람가",
        design: Design {
            scene: Scene::Bokeh,
            palette: colours::EMBER,
            face: Face::BLACK,
            genre: "SWING",
            byline: "17인조 빅밴드와 춤을",
        },
    },
    Show {
        title: "한강 나이트 펄스",
        place: "서울 난지 한강공원 특설무대",
        starts: at(46, 16, 0),
        sale: Sale::OpensInDays { days: 5, hour: 20 },
        taken: Taken::Nothing,
        max_per_user: 4,
        grades: &[grade("1일권", 99_000, 9000), grade("VIP 1일권", 176_000, 1000)],
        story: "노을이 질 때 시작해 자정 직전에 끝나는 일렉트로닉 음악 페스티벌. 네 개의 \
                무대에서 국내외 디제이 스물여덟 팀이 이어 달린다. 재사용 컵과 대중교통 이용을 \
                권하며, 소음 측정값을 실시간으로 공개한다.",
        running_time: "8시간",
        age_limit: "19세 이상 관람가",
        design: Design {
            scene: Scene::Equalizer,
            palette: colours::NEON,
            face: Face::BLACK,
            genre: "EDM FESTIVAL",
            byline: "네 개의 무대, 스물여덟 팀",
        },
    },
    Show {
        title: "록 스피릿 인천",
        place: "인천 송도 오션파크",
        starts: at(54, 13, 0),
        sale: Sale::OpensInDays { days: 12, hour: 14 },
        taken: Taken::Nothing,
        max_per_user: 4,
        grades: &[
            grade("1일권", 110_000, 8000),
            grade("2일권", 176_000, 11_000),
            grade("캠핑 포함 2일권", 231_000, 1000),
        ],
        story: "서해 바람을 맞으며 이틀 동안 마흔 팀의 록 밴드를 만나는 여름의 끝 축제. \
                신인 무대에서는 지역 고등학교 밴드부 여섯 팀이 첫 공연을 한다. 캠핑권 \
                구매자는 텐트 구역과 샤워실을 이용할 수 있다. 우천 시에도 진행하며 우산은 \
                반입할 수 없다.",
        running_time: "하루 10시간, 이틀",
        age_limit: "전체 관람가 (12세 이하 보호자 동반)",
        design: Design {
            scene: Scene::Sunburst,
            palette: colours::SUNSET,
            face: Face::BLACK,
            genre: "ROCK FESTIVAL",
            byline: "이틀, 마흔 팀",
        },
    },
    Show {
        title: "트로트 대축제: 인생은 박자",
        place: "창원 컨벤션 대공연장",
        starts: at(13, 15, 0),
        sale: Sale::OpenSince { days: 15 },
        taken: Taken::Some(50),
        max_per_user: 8,
        grades: &[grade("VIP석", 132_000, 600), grade("R석", 110_000, 1200), grade("S석", 88_000, 1000)],
        story: "세대를 넘어 사랑받는 트로트 가수 여덟 명이 한자리에 모인다. 40인조 팝스 \
                오케스트라가 반주하고, 관객이 함께 부르는 메들리로 문을 연다. 휠체어석과 \
                동반자석을 넉넉히 마련했으며 전세 버스 주차를 안내한다.",
        running_time: "140분 (인터미션 없음)",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Sunburst,
            palette: colours::WINE,
            face: Face::BLACK,
            genre: "TROT",
            byline: "여덟 가수와 팝스 오케스트라",
        },
    },
    Show {
        title: "KAIRO 쇼케이스: ZERO",
        place: "서울 성수 팩토리홀",
        starts: at(2, 20, 0),
        sale: Sale::OpenSince { days: 9 },
        taken: Taken::All,
        max_per_user: 1,
        grades: &[grade("스탠딩", 33_000, 90)],
        story: "신인 솔로 아티스트 KAIRO가 첫 미니 음반 'ZERO'를 처음 선보이는 \
                자리. 여섯 곡 전곡을 라이브로 공개하고, 안무 제작 과정을 짧은 다큐멘터리로 \
                상영한다. 1인 1매만 예매할 수 있고 본인 확인 뒤 입장한다.",
        running_time: "70분 (인터미션 없음)",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Arena,
            palette: colours::NEON,
            face: Face::BLACK,
            genre: "SHOWCASE",
            byline: "첫 미니 음반 전곡 라이브",
        },
    },
    Show {
        title: "통기타와 촛불",
        place: "춘천 의암호 카페무대",
        starts: at(-5, 18, 30),
        sale: Sale::OpenSince { days: 40 },
        taken: Taken::Some(10),
        max_per_user: 4,
        grades: &[grade("자유석", 25_000, 60)],
        story: "전기를 쓰지 않는 음악회. 호숫가 카페의 불을 모두 끄고 촛불 삼백 개만 켠 채 \
                통기타 두 대와 목소리로 노래한다. 따뜻한 차가 포함되며 담요를 무료로 \
                빌려준다.",
        running_time: "80분 (인터미션 없음)",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Bokeh,
            palette: colours::FOREST,
            face: Face::SERIF,
            genre: "ACOUSTIC",
            byline: "촛불 삼백 개의 밤",
        },
    },
    Show {
        title: "시티팝 나이트 1987",
        place: "서울 을지로 레코드바 춘풍",
        starts: at(7, 21, 0),
        sale: Sale::OpenSince { days: 11 },
        taken: Taken::Some(8),
        max_per_user: 4,
        grades: &[grade("입장권", 30_000, 110)],
        story: "1980년대의 반짝이는 여름을 바이닐로만 트는 밤. 수집가 세 명이 각자의 음반 \
                백 장에서 고른 노래를 릴레이로 튼다. 자정에는 국내 시티팝 밴드 '오렌지 \
                택시'가 깜짝 연주를 한다. 첫 음료가 포함된다.",
        running_time: "240분",
        age_limit: "19세 이상 관람가",
        design: Design {
            scene: Scene::Vinyl,
            palette: colours::SUNSET,
            face: Face::BLACK,
            genre: "CITY POP",
            byline: "바이닐로만 트는 밤",
        },
    },
];
