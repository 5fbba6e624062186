//! Orchestras, recitals, opera, ballet and Korean traditional music.

use super::show::{Sale, Show, Taken, at, grade};
use crate::poster::{self as colours, Design, Face, Scene};

pub(super) const SHOWS: &[Show] = &[
    Show {
        title: "한지우 피아노 리사이틀",
        place: "서울 서초 예담홀",
        starts: at(11, 19, 30),
        sale: Sale::OpenSince { days: 22 },
        taken: Taken::Some(40),
        max_per_user: 4,
        grades: &[grade("R석", 100_000, 260), grade("S석", 70_000, 300), grade("A석", 40_000, 180)],
        story: "국제 콩쿠르 우승 뒤 처음 여는 한지우의 전국 리사이틀. 전반부는 쇼팽의 발라드 \
                네 곡 전곡, 후반부는 드뷔시의 '영상' 1권과 윤이상의 '인터루디움 A'를 \
                연주한다. 연주자가 직접 쓴 프로그램 노트를 입구에서 나누어 준다. 악장 \
                사이에는 입장할 수 없다.",
        running_time: "110분 (인터미션 15분 포함)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Keys,
            palette: colours::INK,
            face: Face::SERIF,
            genre: "PIANO RECITAL",
            byline: "쇼팽 · 드뷔시 · 윤이상",
        },
    },
    Show {
        title: "서울누리교향악단 말러 2번",
        place: "서울 서초 예담홀 콘서트홀",
        starts: at(23, 20, 0),
        sale: Sale::OpenSince { days: 13 },
        taken: Taken::Some(60),
        max_per_user: 4,
        grades: &[
            grade("VIP석", 150_000, 300),
            grade("R석", 120_000, 700),
            grade("S석", 80_000, 700),
            grade("A석", 50_000, 500),
            grade("합창석", 30_000, 250),
        ],
        story: "상임지휘자 정도윤의 취임 5주년을 기념하는 말러 교향곡 제2번 '부활'. 두 \
                합창단 160명과 오프스테이지 금관을 더해 모두 270명이 연주한다. 공연 한 \
                시간 전 로비에서 음악학자의 해설이 무료로 열린다.",
        running_time: "95분 (인터미션 없음)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Sunburst,
            palette: colours::MIDNIGHT,
            face: Face::SERIF,
            genre: "SYMPHONY",
            byline: "정도윤 지휘 · 부활",
        },
    },
    Show {
        title: "별 헤는 밤의 첼로",
        place: "제주 오름아트홀",
        starts: at(14, 19, 0),
        sale: Sale::OpenSince { days: 9 },
        taken: Taken::Some(14),
        max_per_user: 4,
        grades: &[grade("R석", 60_000, 140), grade("S석", 40_000, 120)],
        story: "첼리스트 윤서진이 바흐의 무반주 첼로 모음곡 여섯 곡 가운데 1번, 3번, \
                5번을 고른다. 천장이 열리는 오름아트홀에서 해 질 녘에 시작해 별이 뜰 때 \
                끝난다. 곡과 곡 사이에는 제주의 시인이 짧은 시를 낭독한다.",
        running_time: "90분 (인터미션 없음)",
        age_limit: "7세 이상 관람가",
        design: Design {
            scene: Scene::Stars,
            palette: colours::MIDNIGHT,
            face: Face::SERIF,
            genre: "CELLO",
            byline: "윤서진 무반주 첼로",
        },
    },
    Show {
        title: "현악사중주단 온음: 베토벤 전곡 I",
        place: "서울 통의동 살롱콘서트",
        starts: at(18, 16, 0),
        sale: Sale::OpenSince { days: 17 },
        taken: Taken::All,
        max_per_user: 2,
        grades: &[grade("전석", 50_000, 60)],
        story: "온음 사중주단이 3년에 걸쳐 완주하는 베토벤 현악 사중주 전곡 시리즈의 첫 \
                무대. Op. 18의 1번과 4번, 그리고 '라주몹스키' 1번을 연주한다. \
                연주자를 둘러싸고 앉는 60석 살롱이라 활 소리까지 들린다.",
        running_time: "110분 (인터미션 15분 포함)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Ribbon,
            palette: colours::WINE,
            face: Face::SERIF,
            genre: "STRING QUARTET",
            byline: "베토벤 전곡 시리즈 I",
        },
    },
    Show {
        title: "오페라 봄의 제비꽃",
        place: "대구 팔공오페라하우스",
        starts: at(29, 19, 30),
        sale: Sale::OpenSince { days: 11 },
        taken: Taken::Some(36),
        max_per_user: 4,
        grades: &[
            grade("VIP석", 120_000, 240),
            grade("R석", 90_000, 420),
            grade("S석", 60_000, 380),
            grade("A석", 30_000, 260),
        ],
        story: "시골 극단의 프리마돈나가 된 세탁부 비올라의 사랑과 선택을 그린 4막의 낭만 \
                오페라. 무대는 꽃잎 4만 장으로 채워지고, 합창단은 객석 통로에서 노래를 \
                시작한다. 이탈리아어로 부르며 한국어와 영어 자막을 제공한다.",
        running_time: "180분 (인터미션 2회 포함)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Bloom,
            palette: colours::BLOSSOM,
            face: Face::SERIF,
            genre: "OPERA",
            byline: "4막의 사랑 이야기",
        },
    },
    Show {
        title: "콘서트 오페라 오르페오",
        place: "서울 정동 돌담홀",
        starts: at(43, 19, 30),
        sale: Sale::OpensInDays { days: 7, hour: 14 },
        taken: Taken::Nothing,
        max_per_user: 4,
        grades: &[grade("R석", 80_000, 260), grade("S석", 50_000, 200)],
        story: "1607년의 악기와 조율로 되살린 몬테베르디의 '오르페오'. 테오르보와 \
                코르네토, 비올라 다 감바로 이루어진 시대악기 앙상블이 무대 위에서 성악가들을 \
                둘러싼다. 조명만으로 지상과 저승을 나누는 콘서트 형식이다.",
        running_time: "120분 (인터미션 15분 포함)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Arches,
            palette: colours::PLUM,
            face: Face::SERIF,
            genre: "EARLY MUSIC",
            byline: "시대악기로 듣는 최초의 오페라",
        },
    },
    Show {
        title: "지젤",
        place: "서울 한빛아트센터 오페라극장",
        starts: at(20, 19, 30),
        sale: Sale::OpenSince { days: 19 },
        taken: Taken::Some(48),
        max_per_user: 4,
        grades: &[
            grade("VIP석", 130_000, 300),
            grade("R석", 100_000, 500),
            grade("S석", 70_000, 450),
            grade("A석", 40_000, 350),
            grade("B석", 20_000, 200),
        ],
        story: "한빛발레단이 서른 번째 정기공연으로 다시 꺼낸 낭만 발레의 걸작. 스물네 명의 \
                윌리가 만드는 2막의 군무를 라이브 오케스트라와 함께 만난다. 지젤 역은 사흘 \
                동안 세 명의 무용수가 번갈아 맡는다. 매회 공연 전 15분 해설이 있다.",
        running_time: "120분 (인터미션 20분 포함)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Ribbon,
            palette: colours::PLUM,
            face: Face::SERIF,
            genre: "BALLET",
            byline: "한빛발레단 정기공연",
        },
    },
    Show {
        title: "호두까기 인형",
        place: "서울 한빛아트센터 오페라극장",
        starts: at(34, 15, 0),
        sale: Sale::OpensInHours { hours: 3 },
        taken: Taken::Nothing,
        max_per_user: 6,
        grades: &[
            grade("VIP석", 120_000, 300),
            grade("R석", 90_000, 500),
            grade("S석", 60_000, 450),
            grade("A석", 30_000, 350),
        ],
        story: "눈송이 왈츠가 흐르면 객석에도 눈이 내린다. 차이콥스키의 음악에 한복을 입은 \
                병정과 도깨비 쥐 왕이 등장하는 한빛발레단만의 연말 무대다. 어린이 무용수 마흔 \
                명이 함께하며, 공연 뒤 로비에서 주역 무용수와 사진을 찍을 수 있다.",
        running_time: "110분 (인터미션 20분 포함)",
        age_limit: "5세 이상 관람가",
        design: Design {
            scene: Scene::Stars,
            palette: colours::WINE,
            face: Face::SERIF,
            genre: "BALLET",
            byline: "온 가족의 연말 발레",
        },
    },
    Show {
        title: "몸의 지도",
        place: "서울 성북 무용센터 블랙박스",
        starts: at(-20, 20, 0),
        sale: Sale::OpenSince { days: 50 },
        taken: Taken::Some(20),
        max_per_user: 2,
        grades: &[grade("전석", 40_000, 100)],
        story: "지도에 없는 길을 몸으로 걷는 다섯 무용수의 현대무용. 바닥의 압력 센서가 \
                발걸음을 소리로 바꾸어 매회 다른 음악이 만들어진다. 관객은 무대 둘레를 \
                자유롭게 옮겨 다니며 볼 수 있다.",
        running_time: "60분 (인터미션 없음)",
        age_limit: "12세 이상 관람가",
        design: Design {
            scene: Scene::Ribbon,
            palette: colours::JADE,
            face: Face::LIGHT,
            genre: "현대무용",
            byline: "매회 다른 음악, 다른 길",
        },
    },
    Show {
        title: "산조, 능선을 걷다",
        place: "서울 남산 우리소리극장",
        starts: at(17, 19, 30),
        sale: Sale::OpenSince { days: 8 },
        taken: Taken::Some(10),
        max_per_user: 4,
        grades: &[grade("R석", 40_000, 160), grade("S석", 25_000, 140)],
        story: "가야금 산조와 대금 산조를 한 호흡으로 이어 듣는 밤. 명인 이도현과 제자 세 \
                사람이 긴산조 한바탕을 70분 동안 쉼 없이 연주한다. 고수 두 명이 번갈아 \
                장단을 잡으며 즉흥의 묘미를 더한다. 외국어 해설지를 준비했다.",
        running_time: "80분 (인터미션 없음)",
        age_limit: "8세 이상 관람가",
        design: Design {
            scene: Scene::Peaks,
            palette: colours::PAPER,
            face: Face::SERIF,
            genre: "국악",
            byline: "가야금과 대금의 긴산조 한바탕",
        },
    },
    Show {
        title: "판소리 심청가 완창",
        place: "남원 광한루 소리청",
        starts: at(26, 13, 0),
        sale: Sale::OpenSince { days: 4 },
        taken: Taken::Some(6),
        max_per_user: 4,
        grades: &[grade("전석", 20_000, 130)],
        story: "다섯 시간에 걸쳐 강산제 심청가 전 대목을 부르는 완창 무대. 소리꾼 박온유가 \
                스무 해의 공부를 마치고 처음 서는 완창이다. 대목 사이 세 번의 휴식에는 남원 \
                추어탕과 떡을 나눈다. 중간 입장과 퇴장이 자유롭다.",
        running_time: "300분 (휴식 3회 포함)",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Peaks,
            palette: colours::MINT,
            face: Face::SERIF,
            genre: "판소리",
            byline: "박온유 첫 완창 · 강산제",
        },
    },
    Show {
        title: "파이프오르간과 겨울",
        place: "서울 정동 돌담홀",
        starts: at(1, 19, 30),
        sale: Sale::OpenUntil { days: 28, days_before: 2 },
        taken: Taken::Some(30),
        max_per_user: 4,
        grades: &[grade("전석", 30_000, 200)],
        story: "3,800개의 관을 가진 파이프오르간으로 듣는 바흐와 메시앙. 건반과 발 건반이 \
                보이도록 무대에 화면을 설치한다. 공연 준비를 위해 예매는 이틀 전에 마감했다. \
                마지막 곡은 관객이 함께 부르는 코랄이다.",
        running_time: "80분 (인터미션 없음)",
        age_limit: "7세 이상 관람가",
        design: Design {
            scene: Scene::Keys,
            palette: colours::FOREST,
            face: Face::SERIF,
            genre: "ORGAN",
            byline: "바흐 · 메시앙",
        },
    },
];
